import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { ErrorInfoSchema } from '../../api/google/index.ts';
import { type ErrorCode, type ErrorFields, errorCode, errorMessage, StrakeError } from '../../base/index.ts';

/**
 * The one mapper between StrakeError and gRPC: code and message as containerd has them (errdefs, errgrpc), whose messages end with
 * the text of their class. Our fields go in a trailer, not in the status's details: containerd's clients print every detail they do not know.
 */
const statuses: Readonly<Record<ErrorCode, readonly [code: Code, text: string]>> = {
  Canceled: [Code.Canceled, 'context canceled'],
  InvalidArgument: [Code.InvalidArgument, 'invalid argument'],
  DeadlineExceeded: [Code.DeadlineExceeded, 'context deadline exceeded'],
  NotFound: [Code.NotFound, 'not found'],
  AlreadyExists: [Code.AlreadyExists, 'already exists'],
  PermissionDenied: [Code.PermissionDenied, 'permission denied'],
  ResourceExhausted: [Code.ResourceExhausted, 'resource exhausted'],
  FailedPrecondition: [Code.FailedPrecondition, 'failed precondition'],
  Aborted: [Code.Aborted, 'aborted'],
  OutOfRange: [Code.OutOfRange, 'out of range'],
  Unimplemented: [Code.Unimplemented, 'not implemented'],
  Internal: [Code.Unknown, 'unknown'],
  Unavailable: [Code.Unavailable, 'unavailable'],
  DataLoss: [Code.DataLoss, 'data loss'],
  Unauthenticated: [Code.Unauthenticated, 'unauthorized'],
};
const codes = new Map<Code, ErrorCode>(Object.entries(statuses).map(([name, [code]]) => [code, name as ErrorCode]));

/** `google.rpc.ErrorInfo`: reason is the class, metadata the fields. */
const fieldsTrailer = 'strake-error-bin';
/** Of a message on the wire, in UTF-16 units: trailers count against the client's header list. */
const maxMessageLength = 4096;

/** What a handler's error becomes. One that comes from a gRPC call that the handler made is told on, with its class. */
export function toConnectError(error: unknown): ConnectError {
  const known = error instanceof ConnectError ? fromConnectError(error) : error;
  const [code, text] = statuses[errorCode(known)];
  const metadata = known instanceof StrakeError ? { [fieldsTrailer]: encodeFields(known) } : undefined;
  return new ConnectError(withClass(errorMessage(known), code === Code.Unknown ? '' : text), code, metadata, undefined, error);
}

/** What a call's failure becomes: of the class of its code, without the class's text at its end, with what a peer of our own says beside it. */
export function fromConnectError(error: unknown): StrakeError {
  if (error instanceof StrakeError) return error;
  if (!(error instanceof ConnectError)) return new StrakeError(errorCode(error), errorMessage(error), { cause: error });
  const code = isConnectFailure(error.cause) ? 'Unavailable' : (codes.get(error.code) ?? 'Internal');
  const [, text] = statuses[code];
  return new StrakeError(code, withoutClass(error.rawMessage, text), { cause: error, fields: decodeFields(error.metadata.get(fieldsTrailer)) });
}

/** Whatever the kernel's reason: nobody answers there. */
function isConnectFailure(cause: unknown): boolean {
  return cause instanceof Error && (cause as NodeJS.ErrnoException).syscall === 'connect';
}

function withClass(message: string, text: string): string {
  const cut = message.slice(0, maxMessageLength);
  if (text === '' || cut === text || cut.endsWith(`: ${text}`)) return cut;
  return cut === '' ? text : `${cut}: ${text}`;
}

function withoutClass(message: string, text: string): string {
  return message.endsWith(`: ${text}`) ? message.slice(0, -text.length - 2) : message;
}

function encodeFields(error: StrakeError): string {
  const metadata: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(error.fields)) if (typeof value === 'string') metadata[name] = value.slice(0, maxMessageLength);
  return Buffer.from(toBinary(ErrorInfoSchema, create(ErrorInfoSchema, { reason: error.code, domain: 'strake', metadata }))).toString('base64');
}

function decodeFields(value: string | null): ErrorFields {
  if (value === null) return {};
  try {
    return { ...fromBinary(ErrorInfoSchema, Buffer.from(value, 'base64')).metadata };
  } catch {
    return {};
  }
}
