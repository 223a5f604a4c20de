import { readFileSync } from 'node:fs';
import type { readMachine } from '../../runtime/index.ts';

/** capability.h */
const sysResource = 24n;
const lowest = -1000;

/** Without CAP_SYS_RESOURCE no process gets a lower one than this one has (proc_pid_oom_score_adj(5)). */
export function lowestOomScoreAdj({ boundingSet }: Pick<ReturnType<typeof readMachine>, 'boundingSet'>): number {
  return (boundingSet >> sysResource) % 2n === 1n ? lowest : Number(readFileSync('/proc/self/oom_score_adj', 'utf8'));
}
