import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { StrakeError } from '../../base/index.ts';
import { allDirectories, cgroupKillOperations, thawOperations } from '../../kernel/index.ts';
import type { RuntimeContext } from './context.ts';
import { loadMade } from './load-made.ts';
import { notRunning } from './not-running.ts';
import { containerPids } from './processes.ts';
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

const sigkill = 9;

/**
 * Signals the container's first process; SIGKILL ends every process in its cgroup where they do not end with that one, as they share another's pid
 * namespace. `all`: each of its processes gets the signal, and that there is none is no error (runc's obsolete flag, crun's, containerd's).
 */
export async function killContainer({ store, launcher, warn }: RuntimeContext, id: string, signalText: string, all: boolean): Promise<void> {
  const container = await loadMade(store, id);
  const signal = parseSignal(signalText);
  const { cgroup, init, privatePids } = container;
  const isStopped = containerStatus(store, container) === 'stopped' || init === undefined;
  const isThere = allDirectories(cgroup).some((dir) => existsSync(dir));
  if (isThere && signal === sigkill && (all || !privatePids)) {
    launcher.run(cgroupKillOperations(cgroup));
    return;
  }
  if (all && (isThere || (privatePids && signal !== sigkill))) {
    for (const pid of await containerPids(container)) send(pid, signal);
    return;
  }
  if (isStopped && all) return;
  if (isStopped) throw notRunning(id);
  // A process that a v1 freezer holds dies once it is thawed.
  const thaw = signal === sigkill ? thawOperations(cgroup) : [];
  try {
    launcher.run([{ op: 'signal', side: 'host', pid: init.pid, startTime: init.startTime, signal }, ...thaw]);
  } catch (error) {
    if (error instanceof StrakeError && error.fields['errno'] === 'ESRCH') throw notRunning(id);
    throw error;
  }
  // What its first process has started in a namespace of others is nobody's to find without a cgroup.
  if (signal === sigkill && !privatePids) warn('failed to kill all processes, possibly due to lack of cgroup (Hint: enable cgroup v2 delegation)');
}

function send(pid: number, signal: number): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It has ended since it was listed.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
