import { noSlot } from '../program/index.ts';

/** What a REPORT frame says. */
export interface Report {
  /** Index of the operation that failed; undefined: all well. */
  readonly failedIndex: number | undefined;
  readonly errno: number;
  /** As the host counts; 0 without a process. */
  readonly initPid: number;
  /** Clock ticks since boot (/proc/PID/stat field 22). */
  readonly initStartTime: bigint;
  readonly phase: 'created' | 'started';
  readonly detail: string;
  /** ns per operation, of a traced program. */
  readonly durationsNs: readonly bigint[];
}

/** What an EXIT frame says. */
export interface ExitRecord {
  /** 0–255; 128 + signal when killed. */
  readonly code: number;
  readonly signal: number;
  readonly at: Date;
  readonly oomKills: number;
  /** The first cleanup operation that failed, and why. */
  readonly cleanupFailure: { readonly index: number; readonly errno: number } | undefined;
}

export function decodeReport(payload: Buffer): Report {
  const failed = payload.readUInt32LE(0);
  const detailLength = payload.readUInt32LE(24);
  const detailEnd = 28 + detailLength;
  const count = payload.length >= detailEnd + 4 ? payload.readUInt32LE(detailEnd) : 0;
  return {
    failedIndex: failed === noSlot ? undefined : failed,
    errno: payload.readInt32LE(4),
    initPid: payload.readUInt32LE(8),
    initStartTime: payload.readBigUInt64LE(12),
    phase: payload.readUInt32LE(20) === 0 ? 'created' : 'started',
    detail: payload.toString('utf8', 28, detailEnd),
    durationsNs: Array.from({ length: count }, (_, index) => payload.readBigUInt64LE(detailEnd + 4 + 8 * index)),
  };
}

export function decodeExit(payload: Buffer): ExitRecord {
  const cleanupIndex = payload.readUInt32LE(20);
  return {
    code: payload.readInt32LE(0),
    signal: payload.readInt32LE(4),
    at: new Date(Number(payload.readBigUInt64LE(8) / 1_000_000n)),
    oomKills: payload.readUInt32LE(16),
    cleanupFailure: cleanupIndex === noSlot ? undefined : { index: cleanupIndex, errno: payload.readInt32LE(24) },
  };
}

export function decodeReply(payload: Buffer): { readonly errno: number; readonly detail: string } {
  return { errno: payload.readInt32LE(0), detail: payload.toString('utf8', 4) };
}
