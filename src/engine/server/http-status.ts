import { type ErrorCode, errorCode } from '../../base/index.ts';

/** Docker's table (moby daemon/server/httpstatus/status.go), after containerd's classes. Conflict is 409, whichever class says it. */
const statusByCode: Readonly<Record<ErrorCode, number>> = {
  NotFound: 404,
  InvalidArgument: 400,
  OutOfRange: 400,
  AlreadyExists: 409,
  FailedPrecondition: 409,
  Aborted: 409,
  Unauthenticated: 401,
  PermissionDenied: 403,
  Unavailable: 503,
  Unimplemented: 501,
  ResourceExhausted: 500,
  DeadlineExceeded: 500,
  Canceled: 500,
  DataLoss: 500,
  Internal: 500,
};

/** The one mapper from errors to this wire. */
export function httpStatus(error: unknown): number {
  return statusByCode[errorCode(error)];
}
