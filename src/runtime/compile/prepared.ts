import type { Op } from '../../kernel/index.ts';

/** Field 22 of /proc/PID/stat beside the pid, in clock ticks. */
interface Init {
  readonly pid: number;
  readonly startTime: number;
}

/** write_file, field `flags`. */
const fifoNeedsReader = 8;
/** end_process, field `flags`. */
const killIt = 1;
const killTimeoutMs = 10_000;

/** Lets the process of a created container go. Fails where it has died since (ENXIO), or was let go already (ENOENT). */
export function compileStart(fifo: string): readonly Op[] {
  return [
    { op: 'write_file', side: 'host', path: fifo, data: Buffer.from('0'), flags: fifoNeedsReader },
    { op: 'unlink', side: 'host', path: fifo },
  ];
}

export interface Removal {
  /** absent when none was made */
  readonly init?: Init | undefined;
  readonly cgroupCleanup: readonly Op[];
  readonly stateDirectory: string;
}

/** Takes a container away. Without `kill` it fails (EBUSY) before anything is changed while the container's first process lives. */
export function compileDelete({ init, cgroupCleanup, stateDirectory }: Removal, { kill }: { readonly kill: boolean }): readonly Op[] {
  const remove: Op = { op: 'remove_dir', side: 'host', path: stateDirectory };
  // The cgroup first: a process that a v1 freezer holds dies only once it is thawed.
  if (init === undefined) return [...cgroupCleanup, remove];
  return kill ? [...cgroupCleanup, ...killOperations(init), remove] : [end(init), ...cgroupCleanup, remove];
}

/** SIGKILL, and the end of the process awaited; one that has ended is fine. */
export function killOperations(process: Init): readonly Op[] {
  return [end(process, killIt)];
}

function end({ pid, startTime }: Init, flags?: number): Op {
  return { op: 'end_process', side: 'host', pid, startTime, timeoutMs: killTimeoutMs, flags };
}
