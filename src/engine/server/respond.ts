import { errorMessage, iterateUntilAborted } from '../../base/index.ts';
import { formatJson } from '../../oci/index.ts';
import type { Exchange } from './exchange.ts';
import { httpStatus } from './http-status.ts';
import type { LinesReply, Reply } from './reply.ts';
import { clientGone } from './write.ts';

/** Writes a handler's reply. Throws what the reply's source throws, as long as nothing was sent; after that the connection is cut. */
export async function respond(exchange: Exchange, reply: Reply): Promise<void> {
  switch (reply.kind) {
    case 'json': // int64 values of an OCI configuration are bigints
      return await respondWhole(exchange, reply.status, 'application/json', `${formatJson(reply.value)}\n`, reply.headers);
    case 'text':
      return await respondWhole(exchange, reply.status, 'text/plain; charset=utf-8', reply.text, reply.headers);
    case 'empty':
      exchange.head(reply.status, { ...(reply.status === 204 || reply.status === 304 ? {} : { 'Content-Length': '0' }), ...reply.headers });
      return await exchange.end();
    case 'lines':
      return await respondLines(exchange, reply);
    case 'stream':
      return await respondChunks(exchange, reply.contentType, reply.chunks, reply.headers);
    case 'hijacked':
      return;
  }
}

/** Docker's error body. A 304 has none. */
export async function respondError(exchange: Exchange, error: unknown, plainText: boolean): Promise<void> {
  const status = httpStatus(error);
  const message = errorMessage(error);
  if (plainText) await respond(exchange, { kind: 'text', status, text: `${message}\n` });
  else await respond(exchange, { kind: 'json', status, value: { message } });
}

async function respondWhole(
  exchange: Exchange,
  status: number,
  contentType: string,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<void> {
  exchange.head(status, { 'Content-Type': contentType, 'Content-Length': String(Buffer.byteLength(body)), ...headers });
  await exchange.write(body);
  await exchange.end();
}

async function respondLines(exchange: Exchange, reply: LinesReply): Promise<void> {
  const head = () => exchange.head(200, { 'Content-Type': 'application/json' });
  let sent = false;
  if (reply.headFirst === true) {
    head();
    sent = true;
  }
  try {
    for await (const value of untilLeft(exchange, reply.values)) {
      if (!sent) head();
      sent = true;
      await exchange.write(`${JSON.stringify(value)}\r\n`);
    }
    if (!sent) head();
    sent = true;
  } catch (error) {
    if (!sent) throw error;
    if (exchange.signal.aborted || reply.errorLine === undefined) {
      exchange.destroy();
      throw error;
    }
    await exchange.write(`${JSON.stringify(reply.errorLine(error))}\r\n`);
  }
  await exchange.end();
}

async function respondChunks(
  exchange: Exchange,
  contentType: string,
  chunks: AsyncIterable<Uint8Array>,
  headers: Readonly<Record<string, string>> = {},
): Promise<void> {
  exchange.head(200, { 'Content-Type': contentType, ...headers });
  try {
    for await (const chunk of untilLeft(exchange, chunks)) await exchange.write(chunk);
  } catch (error) {
    exchange.destroy();
    throw error;
  }
  await exchange.end();
}

/** Iterates `source` until the client leaves, also while it is silent. */
function untilLeft<T>(exchange: Exchange, source: AsyncIterable<T>): AsyncGenerator<T> {
  return iterateUntilAborted(source, exchange.signal, { reason: clientGone });
}
