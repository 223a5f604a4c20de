import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { StrakeError } from '../../base/index.ts';
import type { Op } from '../../kernel/index.ts';
import { parseRuntimeSpec } from '../../oci/index.ts';
import { isAlive } from '../state/process-identity.ts';
import type { StateStore, StoredContainer } from '../state/store.ts';
import type { RuntimeContext } from './context.ts';
import { containerStatus } from './status.ts';

const killTimeoutMs = 10_000;
/** of write_file (native/ops.def) */
const ignoreMissing = 1;

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

/**
 * Sends a signal to the init; with `all` to every process, a stopped container being fine then (runc's obsolete flag, crun's, containerd's for shared pid namespaces).
 * SIGKILL reaches every process in any case: through the end of the container's pid namespace, or one by one where it has none of its own.
 */
export function killContainer(context: RuntimeContext, id: string, signalText: string, all: boolean): void {
  const { store } = context;
  const container = store.load(id);
  const signal = parseSignal(signalText);
  if (signal === constants.signals.SIGKILL && (all || !hasOwnPids(store, id))) {
    killEvery(context, container, all);
    return;
  }
  if (all) {
    for (const pid of containerPids(container)) send(pid, signal);
    return;
  }
  const status = containerStatus(store, container);
  if (status === 'stopped' || container.init === undefined || !send(container.init.pid, signal)) throw notRunning(id);
  // A frozen process of v1 takes even SIGKILL only when it is thawed (freezer-subsystem.rst); v2's does not wait.
  if (signal === constants.signals.SIGKILL && status === 'paused') context.launcher.run(thaw(container));
}

/** Whether the end of its init is the end of all its processes (pid_namespaces(7)). */
function hasOwnPids(store: StateStore, id: string): boolean {
  const { linux } = parseRuntimeSpec(store.config(id));
  return linux?.namespaces?.some(({ type, path }) => type === 'pid' && !path) ?? false;
}

function killEvery(context: RuntimeContext, container: StoredContainer, mayBeStopped: boolean): void {
  const dir = processesDirectory(container);
  if (dir === undefined || !existsSync(dir)) {
    const running = container.init !== undefined && isAlive(container.init) && send(container.init.pid, constants.signals.SIGKILL);
    if (!running && !mayBeStopped) throw notRunning(container.id);
    // A rootless container without a cgroup: whatever its init has started in the host's pid namespace is nobody's to find.
    if (running) context.warn('failed to kill all processes, possibly due to lack of cgroup (Hint: enable cgroup v2 delegation)');
    return;
  }
  context.launcher.run([...thaw(container), { op: 'cgroup_kill', side: 'host', dir, timeoutMs: killTimeoutMs }]);
}

function thaw({ cgroup }: StoredContainer): readonly Op[] {
  const dir = cgroup.v1.find(({ name }) => name === 'freezer')?.dir;
  return dir === undefined ? [] : [{ op: 'write_file', side: 'host', path: `${dir}/freezer.state`, data: Buffer.from('THAWED'), flags: ignoreMissing }];
}

/** Every process in the container's cgroup, as the host counts. */
export function containerPids(container: StoredContainer): readonly number[] {
  const dir = processesDirectory(container);
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

/** One of its cgroups: each holds the same processes. */
function processesDirectory({ cgroup }: StoredContainer): string | undefined {
  return cgroup.v1.find(({ name }) => ['freezer', 'pids', 'systemd', 'devices'].includes(name))?.dir ?? cgroup.v2 ?? cgroup.v1[0]?.dir;
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
