import { StrakeError } from '../../base/index.ts';

/** RFC 9113, section 7. */
export const Http2Code = {
  noError: 0x0,
  protocolError: 0x1,
  internalError: 0x2,
  flowControlError: 0x3,
  streamClosed: 0x5,
  frameSizeError: 0x6,
  refusedStream: 0x7,
  cancel: 0x8,
  compressionError: 0x9,
  enhanceYourCalm: 0xb,
} as const;

/** What ends a connection: it is told to the peer in a GOAWAY. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** Of an error of a stream that the peer has not even looked at: it may be tried again, whatever it asks. */
const unprocessed = { unprocessed: true } as const;

export function isUnprocessed(error: unknown): boolean {
  return error instanceof StrakeError && error.fields['unprocessed'] === true;
}

export function goingAwayError(): StrakeError {
  return new StrakeError('Unavailable', 'the server is going away', { fields: { layer: 'rpc', ...unprocessed } });
}

/** How a stream ended before its time: by the peer's RST_STREAM of `code`. */
export function resetError(code: number): StrakeError {
  const fields = { layer: 'rpc', http2Code: code };
  if (code === Http2Code.cancel || code === Http2Code.noError) return new StrakeError('Canceled', 'the peer has cancelled the stream', { fields });
  if (code === Http2Code.refusedStream) return new StrakeError('Unavailable', 'the peer has refused the stream', { fields: { ...fields, ...unprocessed } });
  if (code === Http2Code.enhanceYourCalm) return new StrakeError('ResourceExhausted', 'the peer has had too much of the stream', { fields });
  return new StrakeError('Internal', `the peer has reset the stream with code ${code}`, { fields });
}

/** The connection went away under a stream. */
export function lostError(why: string, cause?: unknown): StrakeError {
  return new StrakeError('Unavailable', why, { cause, fields: { layer: 'rpc' } });
}
