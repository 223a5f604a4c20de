import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { StrakeError } from '../../base/index.ts';
import type { StoredContainer } from '../state/store.ts';
import type { RuntimeContext } from './context.ts';
import { containerStatus } from './status.ts';

/** `KILL`, `SIGKILL`, `9`, `RTMIN+3` as a number. */
export function parseSignal(text: string): number {
  const name = text.toUpperCase().replace(/^SIG/, '');
  const realtime = /^RTM(IN|AX)(?:([+-])(\d{1,2}))?$/.exec(name);
  const base = realtime?.[1] === 'AX' ? 64 : 34;
  const offset = Number(realtime?.[3] ?? 0) * (realtime?.[2] === '-' ? -1 : 1);
  const signal = realtime ? base + offset : /^\d+$/.test(text) ? Number(text) : (constants.signals as Readonly<Record<string, number>>)[`SIG${name}`];
  if (signal === undefined || signal < 0 || signal > 64)
    throw new StrakeError('InvalidArgument', `unknown signal ${JSON.stringify(text)}`, { fields: { layer: 'runtime' } });
  return signal;
}

export function killContainer({ store }: RuntimeContext, id: string, signal: number, all: boolean): void {
  const container = store.load(id);
  const running = containerStatus(store, container) !== 'stopped';
  if (all) {
    for (const pid of containerPids(container)) send(pid, signal);
    return;
  }
  if (!running || container.init === undefined || !send(container.init.pid, signal)) throw notRunning(id);
}

/** Every process in the container's cgroup, as the host counts. */
export function containerPids({ cgroup }: StoredContainer): readonly number[] {
  const dir = cgroup.v1.find(({ name }) => ['freezer', 'pids', 'systemd', 'devices'].includes(name))?.dir ?? cgroup.v2 ?? cgroup.v1[0]?.dir;
  if (dir === undefined) return [];
  try {
    return readFileSync(`${dir}/cgroup.procs`, 'latin1')
      .split('\n')
      .filter((line) => line !== '')
      .map(Number);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

export function notRunning(id: string): StrakeError {
  return new StrakeError('FailedPrecondition', 'container not running', { fields: { layer: 'runtime', id } });
}

/** False when the process is gone. */
function send(pid: number, signal: number): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}
