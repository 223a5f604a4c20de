import { type ErrorCode, type ErrorFields, errorCode, errorMessage, StrakeError } from '../base/index.ts';

/**
 * The one mapper between StrakeError and the status of gRPC and ttrpc: number and message as containerd has them (errdefs, errgrpc), whose messages end with the
 * text of their class.
 */
const statuses: Readonly<Record<ErrorCode, readonly [code: number, text: string]>> = {
  Canceled: [1, 'context canceled'],
  // containerd's errors without a class are Unknown, and end with nothing.
  Internal: [2, ''],
  InvalidArgument: [3, 'invalid argument'],
  DeadlineExceeded: [4, 'context deadline exceeded'],
  NotFound: [5, 'not found'],
  AlreadyExists: [6, 'already exists'],
  PermissionDenied: [7, 'permission denied'],
  ResourceExhausted: [8, 'resource exhausted'],
  FailedPrecondition: [9, 'failed precondition'],
  Aborted: [10, 'aborted'],
  OutOfRange: [11, 'out of range'],
  Unimplemented: [12, 'not implemented'],
  Unavailable: [14, 'unavailable'],
  DataLoss: [15, 'data loss'],
  Unauthenticated: [16, 'unauthorized'],
};
const classes = new Map<number, ErrorCode>(Object.entries(statuses).map(([name, [code]]) => [code, name as ErrorCode]));

/** Of a message on the wire, in UTF-16 units: gRPC's count against the client's header list. */
const maxMessageLength = 4_096;

/** google.rpc.Status without details. */
export interface RpcStatus {
  readonly code: number;
  readonly message: string;
}

export function statusOf(error: unknown): RpcStatus {
  const [code, text] = statuses[errorCode(error)];
  const message = errorMessage(error).slice(0, maxMessageLength);
  if (text === '' || message === text || message.endsWith(`: ${text}`)) return { code, message };
  return { code, message: message === '' ? text : `${message}: ${text}` };
}

/** Of the class of its number, without the class's text at its end. */
export function errorOfStatus({ code, message }: RpcStatus, options: { readonly cause?: unknown; readonly fields?: ErrorFields } = {}): StrakeError {
  const name = classes.get(code) ?? 'Internal';
  const [, text] = statuses[name];
  return new StrakeError(name, text !== '' && message.endsWith(`: ${text}`) ? message.slice(0, -text.length - 2) : message, options);
}
