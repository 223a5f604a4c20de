import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { ErrorInfoSchema } from '../../api/google/index.ts';
import { type ErrorFields, errorCode, errorMessage, StrakeError } from '../../base/index.ts';
import { errorOfStatus, statusOf } from '../status.ts';

/**
 * Our fields go in a trailer, as `google.rpc.ErrorInfo` (reason is the class, metadata the fields), not in the status's details: containerd's clients print every
 * detail they do not know.
 */
const fieldsTrailer = 'strake-error-bin';
/** Of one field, in UTF-16 units: trailers count against the client's header list. */
const maxFieldLength = 4096;

/** What a handler's error becomes. One that comes from a gRPC call that the handler made is told on, with its class. */
export function toConnectError(error: unknown): ConnectError {
  const known = error instanceof ConnectError ? fromConnectError(error) : error;
  const { code, message } = statusOf(known);
  const metadata = known instanceof StrakeError ? { [fieldsTrailer]: encodeFields(known) } : undefined;
  return new ConnectError(message, code, metadata, undefined, error);
}

/** What a call's failure becomes: of the class of its code, without the class's text at its end, with what a peer of our own says beside it. */
export function fromConnectError(error: unknown): StrakeError {
  if (error instanceof StrakeError) return error;
  if (!(error instanceof ConnectError)) return new StrakeError(errorCode(error), errorMessage(error), { cause: error });
  const code = isConnectFailure(error.cause) ? Code.Unavailable : error.code;
  return errorOfStatus({ code, message: error.rawMessage }, { cause: error, fields: decodeFields(error.metadata.get(fieldsTrailer)) });
}

/** Whatever the kernel's reason: nobody answers there. */
function isConnectFailure(cause: unknown): boolean {
  return cause instanceof Error && (cause as NodeJS.ErrnoException).syscall === 'connect';
}

function encodeFields(error: StrakeError): string {
  const metadata: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(error.fields)) if (typeof value === 'string') metadata[name] = value.slice(0, maxFieldLength);
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
