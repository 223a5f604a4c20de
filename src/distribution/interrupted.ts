import { type ErrorCode, errorCode } from '../base/index.ts';

/** What was interrupted waits so long for its next try, whole blobs and snapshots like parts of blobs; containerd's time for a client's lease. */
export const resumableMs = 24 * 3600_000;

const resumable: ReadonlySet<ErrorCode> = new Set(['Unavailable', 'DeadlineExceeded', 'Canceled']);

/** Whether another try goes on where this one ended; what else fails is refused content, of which nothing stays. */
export function canGoOn(error: unknown, signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true || resumable.has(errorCode(error));
}
