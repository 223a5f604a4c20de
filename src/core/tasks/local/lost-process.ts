import { setTimeout as delay } from 'node:timers/promises';
import { isAlive } from '../../../runtime/index.ts';
import type { ExitStatus } from '../tasks.ts';
import { readExitRecord } from './records.ts';

const killTimeoutMs = 10_000;
const lookEveryMs = 5;
const sigkill = 9;

/**
 * What became of a process whose monitor is gone: the exit that the monitor left, else the process is killed, for nobody would ever
 * hear of its end. The pid is compared by start time, so that no other process dies.
 */
export async function settleLostProcess({
  pid,
  startTime,
  dir,
}: {
  readonly pid: number;
  readonly startTime: bigint;
  readonly dir: string;
}): Promise<ExitStatus> {
  const recorded = readExitRecord(dir);
  if (recorded !== undefined) return recorded;
  const identity = { pid, startTime: Number(startTime) };
  const deadline = performance.now() + killTimeoutMs;
  while (pid > 0 && isAlive(identity) && performance.now() < deadline) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      break;
    }
    await delay(lookEveryMs);
  }
  return { code: 128 + sigkill, signal: sigkill, at: new Date(), oomKilled: false };
}
