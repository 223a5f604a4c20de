/**
 * The one error taxonomy of Strake: containerd's classes (github.com/containerd/errdefs). Branch on `code`, never on the text.
 */
export const errorCodes = [
  'NotFound',
  'AlreadyExists',
  'InvalidArgument',
  'FailedPrecondition',
  'PermissionDenied',
  'Unauthenticated',
  'ResourceExhausted',
  'Unavailable',
  'DeadlineExceeded',
  'Canceled',
  'Unimplemented',
  'OutOfRange',
  'Aborted',
  'DataLoss',
  'Internal',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

/** What an error knows besides its text: the layer ("hop") where it arose, the operation, the kernel's errno name, and what to do. */
export interface ErrorFields {
  readonly layer?: string;
  readonly operation?: string;
  readonly errno?: string;
  readonly remedy?: string;
  readonly [name: string]: unknown;
}

/** An error with a class, a cause and fields. Messages are lower case, without a full stop, and name the object. */
export class StrakeError extends Error {
  override readonly name = 'StrakeError';
  readonly code: ErrorCode;
  readonly fields: ErrorFields;

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; fields?: ErrorFields } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.fields = options.fields ?? {};
  }
}

/** The class of any thrown value: a StrakeError's own, Canceled for an abort, by errno for Node's system errors, else Internal. */
export function errorCode(error: unknown): ErrorCode {
  if (error instanceof StrakeError) return error.code;
  if (error instanceof Error) {
    if (error.name === 'AbortError') return 'Canceled';
    if (error.name === 'TimeoutError') return 'DeadlineExceeded';
    const errno = (error as NodeJS.ErrnoException).code;
    if (errno !== undefined) return codeOfErrno(errno);
  }
  return 'Internal';
}

export function isCode(error: unknown, code: ErrorCode): boolean {
  return errorCode(error) === code;
}

/** The text of any thrown value. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const byErrno: Readonly<Record<string, ErrorCode>> = {
  ENOENT: 'NotFound',
  ESRCH: 'NotFound',
  EEXIST: 'AlreadyExists',
  EINVAL: 'InvalidArgument',
  ENAMETOOLONG: 'InvalidArgument',
  EACCES: 'PermissionDenied',
  EPERM: 'PermissionDenied',
  EROFS: 'FailedPrecondition',
  EBUSY: 'FailedPrecondition',
  ENOTDIR: 'FailedPrecondition',
  ENOTEMPTY: 'FailedPrecondition',
  ENOSPC: 'ResourceExhausted',
  EDQUOT: 'ResourceExhausted',
  EMFILE: 'ResourceExhausted',
  ENFILE: 'ResourceExhausted',
  ENOMEM: 'ResourceExhausted',
  ECONNREFUSED: 'Unavailable',
  ECONNRESET: 'Unavailable',
  EPIPE: 'Unavailable',
  ETIMEDOUT: 'DeadlineExceeded',
  ECANCELED: 'Canceled',
  ENOSYS: 'Unimplemented',
  EOPNOTSUPP: 'Unimplemented',
  ERANGE: 'OutOfRange',
  EIO: 'DataLoss',
};

/** The class of a kernel error name such as `ENOENT`. */
export function codeOfErrno(errno: string): ErrorCode {
  return byErrno[errno] ?? 'Internal';
}
