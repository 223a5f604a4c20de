import { documentLimitBytes } from '../core/index.ts';

/** Bounds of what a client may send. */
export const limits = {
  /** distribution-spec: at least 4 MB have to be possible. */
  manifestBytes: documentLimitBytes,
  /** Tags of one push by digest; the specification asks for at least 10. */
  tagsPerPush: 64,
  /** Entries of one page of a listing; what is left has a link. */
  pageEntries: 10_000,
  /** A body that nobody wants is read so far, so that its sender sees the answer; then the connection is cut. */
  drainBytes: 16 << 20,
  /** Silence on a connection that is in the middle of a request. */
  idleTimeoutMs: 5 * 60_000,
} as const;
