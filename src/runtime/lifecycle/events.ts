import { existsSync, readFileSync } from 'node:fs';
import { StrakeError } from '../../base/index.ts';
import { oomFile } from '../../kernel/index.ts';
import type { StoredContainer } from '../state/store.ts';
import type { RuntimeContext } from './context.ts';
import { containerStats } from './stats/stats.ts';
import { containerStatus } from './status.ts';

/** A line of `events`, in runc's shape. */
export type ContainerEvent = { readonly type: 'stats'; readonly id: string; readonly data: object } | { readonly type: 'oom'; readonly id: string };

/** One reading of the statistics. */
export function statsEvent(context: RuntimeContext, id: string): ContainerEvent {
  return { type: 'stats', id, data: containerStats(loadRunning(context, id)) };
}

/** Tells the statistics at each interval, and each end of a process for lack of memory, until the container's memory cgroup is gone. */
export function watchEvents(context: RuntimeContext, id: string, intervalMs: number, tell: (event: ContainerEvent) => void): void {
  const container = loadRunning(context, id);
  const file = oomFile(container.cgroup);
  if (file === undefined) throw new StrakeError('FailedPrecondition', 'memory controller missing', { fields: { layer: 'runtime', id } });
  const dir = file.slice(0, file.lastIndexOf('/'));
  let next = performance.now() + intervalMs;
  for (let seen = readKills(file); seen !== undefined; ) {
    const happened = waitForOom(context, dir, seen, Math.max(0, Math.ceil(next - performance.now())));
    const kills = readKills(file);
    if (kills === undefined || (happened && kills === seen && !isPopulated(dir))) return;
    // Ends may come behind the wait's time. Without a killer of its own a v1 cgroup runs out of memory, and no process has ended.
    for (let count = kills > seen ? kills - seen : BigInt(happened); count > 0n; count--) tell({ type: 'oom', id });
    seen = kills;
    if (performance.now() < next) continue;
    tell({ type: 'stats', id, data: containerStats(container) });
    next += intervalMs;
  }
}

function loadRunning({ store }: RuntimeContext, id: string): StoredContainer {
  const container = store.load(id);
  if (containerStatus(store, container) === 'stopped')
    throw new StrakeError('FailedPrecondition', `container with id ${id} is not running`, { fields: { layer: 'runtime', id } });
  return container;
}

/** False when nothing happened in that time. */
function waitForOom({ launcher }: RuntimeContext, dir: string, seen: bigint, timeoutMs: number): boolean {
  try {
    launcher.run([{ op: 'oom_wait', side: 'host', dir, seen, timeoutMs }]);
    return true;
  } catch (error) {
    if (error instanceof StrakeError && error.fields['errno'] === 'ETIMEDOUT') return false;
    throw error;
  }
}

/** `oom_kill N` of memory.oom_control or memory.events; undefined when the cgroup is gone. */
function readKills(file: string): bigint | undefined {
  try {
    return BigInt(/^oom_kill (\d+)$/m.exec(readFileSync(file, 'latin1'))?.[1] ?? 0);
  } catch (error) {
    if (['ENOENT', 'ENODEV'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

/** v1 does not tell when its last process has left; its removal is the end there. */
function isPopulated(dir: string): boolean {
  const file = `${dir}/cgroup.events`;
  return !existsSync(file) || /^populated 1$/m.test(readFileSync(file, 'latin1'));
}
