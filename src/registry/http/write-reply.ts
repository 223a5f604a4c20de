import type { ServerResponse } from 'node:http';
import { StrakeError } from '../../base/index.ts';
import type { WireError } from '../errors.ts';
import type { Reply } from './message.ts';

/** The error body of distribution-spec ("Error Codes"). */
export function errorReply({ status, code, message, detail, headers }: WireError): Reply {
  const error = { code, message, ...(detail === undefined ? {} : { detail }) };
  return { status, headers: { 'Content-Type': 'application/json; charset=utf-8', ...headers }, body: `${JSON.stringify({ errors: [error] })}\n` };
}

/** Sends a reply as fast as the client takes it; one to HEAD without its body. `onBytes` is told of what was sent. Throws Canceled when the client goes meanwhile. */
export async function writeReply(
  response: ServerResponse,
  { status, headers = {}, body }: Reply,
  isHead: boolean,
  onBytes: (count: number) => void,
): Promise<void> {
  const isWhole = typeof body === 'string' || body instanceof Uint8Array;
  const length: Record<string, string> = isWhole ? { 'Content-Length': String(Buffer.byteLength(body)) } : {};
  response.writeHead(status, { ...length, ...(headers as Record<string, string>) });
  if (isHead || body === undefined) response.end();
  else if (isWhole) {
    response.end(body);
    onBytes(Buffer.byteLength(body));
  } else {
    for await (const chunk of body) {
      await writeWithPressure(response, chunk);
      onBytes(chunk.length);
    }
    response.end();
  }
}

async function writeWithPressure(response: ServerResponse, chunk: Uint8Array): Promise<void> {
  if (response.destroyed) throw clientGone();
  if (response.write(chunk)) return;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const leave = () => reject(clientGone());
  response.once('drain', resolve).once('close', leave);
  try {
    await promise;
  } finally {
    response.off('drain', resolve).off('close', leave);
  }
}

function clientGone(): StrakeError {
  return new StrakeError('Canceled', 'the client closed the connection', { fields: { layer: 'registry' } });
}
