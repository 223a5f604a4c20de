import { readSync, writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import type { EngineClient } from '../docker-client/index.ts';

/** What a command may touch: an engine, and the terminal or files it was started on. */
export interface Context {
  readonly client: EngineClient;
  readonly env: Readonly<Record<string, string | undefined>>;
  out(data: string | Uint8Array): void;
  err(data: string | Uint8Array): void;
  isTerminal(descriptor: 0 | 1 | 2): boolean;
  readLine(): string;
}

export function createContext(client: EngineClient, env: Context['env']): Context {
  return {
    client,
    env,
    out: (data) => writeWhole(1, data),
    err: (data) => writeWhole(2, data),
    isTerminal: (descriptor) => isatty(descriptor),
    readLine,
  };
}

const retryableErrno = new Set(['EAGAIN', 'EINTR']);

/** Writes everything, waiting where the descriptor was made non-blocking by its other users. */
function writeWhole(descriptor: number, data: string | Uint8Array): void {
  let rest: Uint8Array = typeof data === 'string' ? Buffer.from(data) : data;
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(descriptor, rest));
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? '';
      if (!retryableErrno.has(code)) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

function readLine(): string {
  const bytes = Buffer.alloc(1);
  let line = '';
  while (line.length < 4096 && readSync(0, bytes) === 1 && bytes[0] !== 0x0a) line += bytes.toString('latin1');
  return line.trim();
}
