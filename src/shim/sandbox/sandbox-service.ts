/** What a shim does for a sandbox (containerd's Sandbox service), over a task manager of its own: a sandbox is a task that its containers' clients do not see. */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { shimSandbox } from '../../api/containerd/index.ts';
import { isCode, StrakeError } from '../../base/index.ts';
import type { Task, TaskManager, TaskRootfs } from '../../core/tasks/index.ts';
import { hostPlatform } from '../../oci/index.ts';
import type { CallContext, ServiceImplementation } from '../../rpc/ttrpc/index.ts';
import { nothing, timestamp } from '../messages.ts';
import { metricsOf } from '../metrics.ts';
import { rootfsOf } from '../rootfs.ts';
import { givenSpec, sandboxSpec } from './pause-spec.ts';

export type SandboxService = ServiceImplementation<typeof shimSandbox.Sandbox>;

export interface SandboxServiceOptions {
  readonly namespace: string;
  /** Of sandboxes alone. */
  readonly tasks: TaskManager;
  /** For their roots, where they came without any. */
  readonly directory: string;
  /** strake-init: `PROGRAM pause` waits for its end. */
  readonly pauseProgram: string;
  readonly cgroupVersion: 1 | 2;
  /** A sandbox has gone: the process may have nothing left to do. */
  readonly shutdown: () => void;
}

/** What is kept beside the task. */
export interface SandboxNote {
  readonly createdMs: number;
  readonly bundle: string;
}

const states = { ready: 'SANDBOX_READY', notReady: 'SANDBOX_NOTREADY' } as const;
const [sigterm, sigkill] = [15, 9];
const defaultStopSeconds = 10;
const noStdio = { terminal: false, openStdin: false, stdinOnce: false } as const;

export function createSandboxService(options: SandboxServiceOptions): SandboxService {
  const { namespace, tasks, directory, pauseProgram, cgroupVersion } = options;
  const rootOf = (id: string) => path.join(directory, id);
  const taskOf = (id: string): Task => {
    try {
      return tasks.get(id);
    } catch (cause) {
      if (!isCode(cause, 'NotFound')) throw cause;
      throw new StrakeError('NotFound', `sandbox ${JSON.stringify(id)}`, { cause, fields: { layer: 'shim', sandbox: id } });
    }
  };
  return {
    async createSandbox({ sandboxId: id, bundlePath, rootfs, netnsPath, annotations }, { signal }) {
      const config = path.join(bundlePath, 'config.json');
      const given = givenSpec(existsSync(config) ? readFileSync(config, 'utf8') : undefined);
      const spec = sandboxSpec({ given, netnsPath, annotations, hasRootfs: rootfs.length > 0, pauseProgram, cgroupsPath: `/${namespace}/${id}` });
      const note: SandboxNote = { createdMs: Date.now(), bundle: bundlePath };
      const own: TaskRootfs = { type: 'directory', path: rootOf(id) };
      if (rootfs.length === 0) mkdirSync(own.path, { recursive: true, mode: 0o711 });
      try {
        await tasks.create({
          id,
          spec,
          bundle: bundlePath,
          rootfs: rootfs.length === 0 ? own : rootfsOf(rootfs, bundlePath, spec),
          stdio: noStdio,
          note,
          signal,
        });
      } catch (error) {
        rmSync(own.path, { recursive: true, force: true });
        throw error;
      }
      return nothing;
    },
    async startSandbox({ sandboxId }) {
      const task = taskOf(sandboxId);
      await task.start();
      return { pid: task.state().pid, createdAt: timestamp(createdAt(task)) };
    },
    platform: () => ({ platform: { os: hostPlatform().os, architecture: hostPlatform().architecture } }),
    async stopSandbox({ sandboxId, timeoutSecs }) {
      await stop(taskOf(sandboxId), (timeoutSecs || defaultStopSeconds) * 1000);
      return nothing;
    },
    async waitSandbox({ sandboxId }, { signal }) {
      const { code, at } = await taskOf(sandboxId).wait(signal);
      return { exitStatus: code, exitedAt: timestamp(at) };
    },
    sandboxStatus: ({ sandboxId, verbose }) => statusOf(taskOf(sandboxId), verbose),
    pingSandbox({ sandboxId }) {
      taskOf(sandboxId);
      return nothing;
    },
    async shutdownSandbox({ sandboxId }, context) {
      await remove(taskOf(sandboxId), context);
      // Mount points are all that is in it.
      rmSync(rootOf(sandboxId), { recursive: true, force: true });
      options.shutdown();
      return nothing;
    },
    async sandboxMetrics({ sandboxId }) {
      const data = metricsOf(await taskOf(sandboxId).stats(), cgroupVersion);
      return { metrics: { timestamp: timestamp(new Date()), id: sandboxId, data } };
    },
  };
}

function statusOf(task: Task, verbose: boolean): MessageInitShape<typeof shimSandbox.SandboxStatusResponseSchema> {
  const state = task.state();
  return {
    sandboxId: task.id,
    pid: state.pid,
    state: state.status === 'running' ? states.ready : states.notReady,
    createdAt: timestamp(createdAt(task)),
    ...(state.status === 'stopped' ? { exitedAt: timestamp(state.exit.at) } : {}),
    info: verbose ? { task: state.status } : {},
  };
}

function createdAt({ note }: Task): Date {
  return new Date((note as SandboxNote).createdMs);
}

/** One that has ended, or was never started, has stopped. */
async function stop(task: Task, timeoutMs: number): Promise<void> {
  if (task.state().status === 'stopped') return;
  await killed(task, task.state().status === 'created' ? sigkill : sigterm);
  try {
    await task.wait(AbortSignal.timeout(timeoutMs));
  } catch {
    await killed(task, sigkill);
    await task.wait();
  }
}

async function remove(task: Task, { signal }: Pick<CallContext, 'signal'>): Promise<void> {
  if (task.state().status !== 'stopped') await killed(task, sigkill);
  await task.wait(signal);
  await task.delete();
}

async function killed(task: Task, signal: number): Promise<void> {
  try {
    await task.kill(signal);
  } catch (error) {
    if (!isCode(error, 'NotFound')) throw error;
  }
}
