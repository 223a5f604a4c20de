import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/** A refusal: what a client is told instead of its upgrade. */
export class HttpRefusal extends Error {
  override readonly name = 'HttpRefusal';
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];

  constructor(status: number, message: string, headers: readonly (readonly [name: string, value: string])[] = []) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

export function answerUpgrade(socket: Duplex, headers: readonly (readonly [name: string, value: string])[]): void {
  writeHead(socket, 101, headers);
}

/** Answers and ends the connection. */
export function refuse(socket: Duplex, { status, message, headers }: HttpRefusal): void {
  const body = Buffer.from(`${message}\n`);
  writeHead(socket, status, [
    ...headers,
    ['Content-Type', 'text/plain; charset=utf-8'],
    ['X-Content-Type-Options', 'nosniff'],
    ['Content-Length', String(body.length)],
    ['Connection', 'close'],
  ]);
  socket.end(body);
}

function writeHead(socket: Duplex, status: number, headers: readonly (readonly [name: string, value: string])[]): void {
  const lines = headers.map(([name, value]) => `${name}: ${value.replaceAll(/[\r\n]/g, ' ')}\r\n`);
  socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n`);
}
