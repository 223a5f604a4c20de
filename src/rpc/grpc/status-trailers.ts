import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { ErrorInfoSchema } from '../../api/google/index.ts';
import { type ErrorFields, StrakeError } from '../../base/index.ts';
import { type Header, headerValue } from '../http2/index.ts';
import { errorOfStatus, statusOf } from '../status.ts';

/**
 * Our fields go in a trailer, as `google.rpc.ErrorInfo` (reason is the class, metadata the fields), not in the status's details: containerd's clients print every
 * detail they do not know.
 */
const fieldsTrailer = 'strake-error-bin';
/** Of one field, in UTF-16 units: trailers count against the client's header list. */
const maxFieldLength = 4096;

export const okTrailers: readonly Header[] = [['grpc-status', '0']];

/** What a call that failed with `error` ends with. */
export function trailersOf(error: unknown): readonly Header[] {
  const { code, message } = statusOf(error);
  const trailers: Header[] = [
    ['grpc-status', String(code)],
    ['grpc-message', percentEncode(message)],
  ];
  if (error instanceof StrakeError && Object.keys(error.fields).length > 0) trailers.push([fieldsTrailer, encodeFields(error)]);
  return trailers;
}

/** What a call failed with, by its trailers; undefined when it succeeded. */
export function errorOfTrailers(trailers: readonly Header[]): StrakeError | undefined {
  const status = headerValue(trailers, 'grpc-status');
  if (status === '0') return undefined;
  if (status === undefined) return new StrakeError('Internal', 'the server ended the call without a status', { fields: { layer: 'rpc' } });
  const message = percentDecode(headerValue(trailers, 'grpc-message') ?? '');
  return errorOfStatus({ code: Number(status), message }, { fields: decodeFields(headerValue(trailers, fieldsTrailer)) });
}

/** gRPC's: UTF-8, everything but printable ASCII percent-encoded. */
function percentEncode(text: string): string {
  return text.replace(/[^\x20-\x24\x26-\x7e]+/g, (part) =>
    [...Buffer.from(part)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
}

/** What is not percent-encoded rightly stays as it is. */
function percentDecode(text: string): string {
  return text.replace(/(?:%[0-9a-fA-F]{2})+/g, (part) => Buffer.from(part.replaceAll('%', ''), 'hex').toString());
}

function encodeFields(error: StrakeError): string {
  const metadata: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(error.fields)) if (typeof value === 'string') metadata[name] = value.slice(0, maxFieldLength);
  return Buffer.from(toBinary(ErrorInfoSchema, create(ErrorInfoSchema, { reason: error.code, domain: 'strake', metadata }))).toString('base64');
}

function decodeFields(value: string | undefined): ErrorFields {
  if (value === undefined) return {};
  try {
    return { ...fromBinary(ErrorInfoSchema, Buffer.from(value, 'base64')).metadata };
  } catch {
    return {};
  }
}
