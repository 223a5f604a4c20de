import { expect } from 'bun:test';
import { readFileSync } from 'node:fs';
import { criContainer, criPod } from '../../src/api/cri/index.ts';
import type { ContainerConfig, Cri } from './cri.ts';
import { until } from './until.ts';

const counting = 'i=0; while [ ! -e /stop ]; do i=$((i+1)); echo $i; usleep 500; done; exit 17';

export interface KilledDaemon {
  readonly pod: string;
  readonly shell: (script: string) => ContainerConfig;
  /** Of the pod's log directory, and where the test finds it. */
  readonly log: { readonly path: string; readonly file: string };
  /** Begins to make another pod; `half` resolves in any case. */
  readonly begin: () => Promise<{ readonly half: Promise<unknown> }>;
}

/**
 * A kill -9 of the daemon while another pod is half made, and its next start: what runs keeps its pid and its exit code, what ended meanwhile is told, and what
 * waits can be started. Answers the numbers that the one which runs has counted in its log; no pod is left.
 */
export async function outliveDaemon(cri: Cri, { pod, shell, log, begin }: KilledDaemon): Promise<readonly number[]> {
  const stop = async ({ pid }: { readonly pid: number }) => await cri.world.output(['touch', `/proc/${pid}/root/stop`]);
  const on = await cri.startContainer(pod, { ...shell(counting), logPath: log.path });
  const meanwhile = await cri.startContainer(pod, shell(counting));
  const waiting = await cri.createContainer(pod, shell('true'));
  const { half } = await begin();
  await cri.killDaemon();
  await half;
  await stop(meanwhile);
  await until('the container to end', () => !cri.world.alive(meanwhile.pid));
  await cri.startDaemon();
  expect([(await cri.status(on.id))?.state, await cri.pidOf(on.id)]).toEqual([criContainer.ContainerState.CONTAINER_RUNNING, on.pid]);
  expect((await cri.exited(meanwhile.id)).exitCode).toBe(17);
  expect((await cri.runtime.podSandboxStatus({ podSandboxId: pod })).status?.state).toBe(criPod.PodSandboxState.SANDBOX_READY);
  await cri.runtime.startContainer({ containerId: waiting });
  expect((await cri.exited(waiting)).exitCode).toBe(0);
  expect(await cri.exec(on.id, 'true')).toBe('');
  // Not by a command in it, which may end with it.
  await stop(on);
  expect((await cri.exited(on.id)).exitCode).toBe(17);
  for (const { id } of (await cri.runtime.listPodSandbox({})).items) await cri.removePod(id);
  const lines = readFileSync(log.file, 'utf8').trim().split('\n');
  return lines.map((line) => Number(line.split(' ')[3]));
}
