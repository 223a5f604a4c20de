import { StrakeError } from '../../base/index.ts';

/** The longest waits for strake-init, in ms. A program may remove cgroups and mounts, which the kernel does in its own time. */
export const deadlines = { launch: 120_000, start: 60_000, reply: 10_000, fileSync: 600_000 } as const;

export interface WaitOptions {
  /** What is waited for: "the report of strake-init". */
  readonly what: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** The value of `promise`; DeadlineExceeded when it comes too late, the signal's reason when that is first. The promise itself goes on. */
export async function within<T>(promise: Promise<T>, { what, timeoutMs, signal }: WaitOptions): Promise<T> {
  signal?.throwIfAborted();
  const { promise: ended, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal?.reason);
  const timer = setTimeout(
    () => reject(new StrakeError('DeadlineExceeded', `${what} did not come within ${timeoutMs} ms`, { fields: { layer: 'kernel' } })),
    timeoutMs,
  );
  signal?.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([promise, ended]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}
