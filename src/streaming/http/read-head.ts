import type { Duplex } from 'node:stream';
import { protocolError } from '../protocol-error.ts';
import { connectionLost } from '../wire.ts';

/** Of a request or an answer, with its headers. */
const maxHeadBytes = 32 * 1024;

/** What an HTTP/1.1 message says before its body. */
export interface Head {
  /** The words of its first line. */
  readonly start: readonly string[];
  /** Names in lower case; each value that was given. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  /** What came behind it. */
  readonly rest: Buffer;
}

/** Reads one head and leaves the socket paused. */
export async function readHead(socket: Duplex, timeoutMs: number): Promise<Head> {
  const { promise, resolve, reject } = Promise.withResolvers<Head>();
  let received: Buffer = Buffer.alloc(0);
  const onData = (chunk: Buffer) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    const end = received.indexOf('\r\n\r\n');
    if (end >= 0) settle(() => resolve(parseHead(received, end)));
    else if (received.length > maxHeadBytes) reject(protocolError(`a head of more than ${maxHeadBytes} bytes`));
  };
  const settle = (act: () => void) => {
    try {
      act();
    } catch (error) {
      reject(error);
    }
  };
  const onLost = () => reject(connectionLost('the peer closed the connection before its head'));
  const timer = setTimeout(() => reject(connectionLost(`the peer sent no head within ${timeoutMs} ms`)), timeoutMs);
  const lost = ['end', 'close', 'error'];
  socket.on('data', onData);
  for (const event of lost) socket.on(event, onLost);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    socket.pause();
    socket.off('data', onData);
    for (const event of lost) socket.off(event, onLost);
  }
}

function parseHead(received: Buffer, end: number): Head {
  if (end > maxHeadBytes) throw protocolError(`a head of more than ${maxHeadBytes} bytes`);
  const [first = '', ...lines] = received.subarray(0, end).toString('latin1').split('\r\n');
  const headers = new Map<string, string[]>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon <= 0 || /[\s]/.test(line.slice(0, colon))) throw protocolError('a header that is none');
    const name = line.slice(0, colon).toLowerCase();
    headers.set(name, [...(headers.get(name) ?? []), line.slice(colon + 1).trim()]);
  }
  return { start: first.split(' '), headers, rest: received.subarray(end + 4) };
}

/** The items of a header that is a list, over all its lines. */
export function headerList(head: Head, name: string): readonly string[] {
  return (head.headers.get(name) ?? [])
    .flatMap((value) => value.split(','))
    .map((item) => item.trim())
    .filter((item) => item !== '');
}
