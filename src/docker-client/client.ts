import { type ErrorCode, StrakeError } from '../base/index.ts';
import type { Endpoint } from './endpoint.ts';
import { type HijackedStream, hijack } from './hijack.ts';
import { type EngineRequest, type EngineResponse, request } from './request.ts';

const apiVersion = 'v1.51';
const maxLineBytes = 4 << 20;

/** A list is the parameter as often. */
export type QueryValue = string | number | boolean | readonly string[] | undefined;

export interface CallOptions {
  readonly query?: Readonly<Record<string, QueryValue>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it comes, instead of a body. */
  readonly upload?: { readonly contentType: string; readonly chunks: AsyncIterable<Uint8Array> };
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** A client of the Docker Engine API 1.51. Errors of the engine are StrakeErrors with its message and the class of the HTTP status. */
export class EngineClient {
  readonly endpoint: Endpoint;

  constructor(endpoint: Endpoint) {
    this.endpoint = endpoint;
  }

  /** Sends a request and throws for a status of 400 or more. */
  async call(method: EngineRequest['method'], path: string, options: CallOptions = {}): Promise<EngineResponse> {
    const response = await request(this.endpoint, {
      method,
      path: `/${apiVersion}${path}${queryString(options.query)}`,
      headers: { ...contentType(options), ...options.headers },
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
      ...(options.upload === undefined ? {} : { body: options.upload.chunks }),
      ...(options.signal ? { signal: options.signal } : {}),
    });
    if (response.status >= 400) throw engineError(response.status, await response.text());
    return response;
  }

  async get<Answer>(path: string, options: CallOptions = {}): Promise<Answer> {
    return parse<Answer>(await (await this.call('GET', path, options)).text());
  }

  async post<Answer>(path: string, options: CallOptions = {}): Promise<Answer> {
    return parse<Answer>(await (await this.call('POST', path, options)).text());
  }

  async delete<Answer>(path: string, options: CallOptions = {}): Promise<Answer> {
    return parse<Answer>(await (await this.call('DELETE', path, options)).text());
  }

  /** The JSON values of a streamed answer (events, pull progress, stats), one a line or back to back with newlines. */
  async *lines<Value>(method: 'GET' | 'POST', path: string, options: CallOptions = {}): AsyncGenerator<Value> {
    const response = await this.call(method, path, options);
    let rest = '';
    const decoder = new TextDecoder();
    for await (const chunk of response.body) {
      rest += decoder.decode(chunk, { stream: true });
      const lines = rest.split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > maxLineBytes)
        throw new StrakeError('OutOfRange', `the engine sent a line of over ${maxLineBytes} bytes`, { fields: { layer: 'docker-client' } });
      for (const line of lines) if (line.trim() !== '') yield JSON.parse(line) as Value;
    }
    if (rest.trim() !== '') yield JSON.parse(rest) as Value;
  }

  hijack(path: string, options: Pick<CallOptions, 'query' | 'body'> = {}): Promise<HijackedStream> {
    const body = options.body === undefined ? '' : JSON.stringify(options.body);
    return hijack(this.endpoint, `/${apiVersion}${path}${queryString(options.query)}`, body, engineError);
  }
}

function contentType({ body, upload }: CallOptions): Readonly<Record<string, string>> {
  if (upload !== undefined) return { 'Content-Type': upload.contentType };
  return body === undefined ? {} : { 'Content-Type': 'application/json' };
}

function parse<Answer>(text: string): Answer {
  return (text === '' ? undefined : JSON.parse(text)) as Answer;
}

function queryString(query: CallOptions['query']): string {
  const pairs = Object.entries(query ?? {})
    .flatMap(([key, value]) => (Array.isArray(value) ? value.map((item: string) => [key, item] as const) : [[key, value] as const]))
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(value === true ? '1' : value === false ? '0' : String(value))}`);
  return pairs.length > 0 ? `?${pairs.join('&')}` : '';
}

const codesByStatus: Readonly<Record<number, ErrorCode>> = {
  400: 'InvalidArgument',
  401: 'Unauthenticated',
  403: 'PermissionDenied',
  404: 'NotFound',
  409: 'FailedPrecondition',
  501: 'Unimplemented',
  503: 'Unavailable',
};

function engineError(status: number, body: string): StrakeError {
  let message = body.trim();
  try {
    message = (JSON.parse(body) as { message?: string }).message ?? message;
  } catch {
    // Not JSON: a proxy's or another server's text is the message.
  }
  return new StrakeError(codesByStatus[status] ?? 'Internal', message || `the engine answered status ${status}`, { fields: { layer: 'engine', status } });
}
