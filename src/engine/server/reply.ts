/** What a handler answers with. The server writes it; only `hijack` writes by itself. */
export type Reply =
  | { readonly kind: 'json'; readonly status: number; readonly value: unknown; readonly headers?: ReplyHeaders }
  | { readonly kind: 'text'; readonly status: number; readonly text: string; readonly headers?: ReplyHeaders }
  | { readonly kind: 'empty'; readonly status: number; readonly headers?: ReplyHeaders }
  | LinesReply
  | { readonly kind: 'stream'; readonly contentType: string; readonly chunks: AsyncIterable<Uint8Array>; readonly headers?: ReplyHeaders }
  | { readonly kind: 'hijacked' };

export type ReplyHeaders = Readonly<Record<string, string>>;

/** JSON values, one a line, each sent as it comes; iteration is ended (`return`) when the client goes. */
export interface LinesReply {
  readonly kind: 'lines';
  readonly values: AsyncIterable<unknown>;
  /** Sends the head before the first value: for streams that may be silent for long. Otherwise an error before the first value is an HTTP error. */
  readonly headFirst?: boolean;
  /** The line that tells an error after the first value; without it the connection is cut. */
  readonly errorLine?: (error: unknown) => unknown;
}

export const json = (value: unknown, status = 200, headers: ReplyHeaders = {}): Reply => ({ kind: 'json', status, value, headers });
export const text = (body: string, status = 200, headers: ReplyHeaders = {}): Reply => ({ kind: 'text', status, text: body, headers });
export const empty = (status = 204, headers: ReplyHeaders = {}): Reply => ({ kind: 'empty', status, headers });
/** For an operation that found nothing to do: start of a running container, stop of a stopped one. Not an error. */
export const notModified: Reply = { kind: 'empty', status: 304 };
export const lines = (values: AsyncIterable<unknown>, options: Pick<LinesReply, 'headFirst' | 'errorLine'> = {}): Reply => ({
  kind: 'lines',
  values,
  ...options,
});
export const stream = (contentType: string, chunks: AsyncIterable<Uint8Array>, headers: ReplyHeaders = {}): Reply => ({
  kind: 'stream',
  contentType,
  chunks,
  headers,
});
/** After `hijack`. */
export const hijacked: Reply = { kind: 'hijacked' };
