import type { EngineClient } from '../docker-client/index.ts';
import { isTerminal, writeWhole } from './stdio/descriptors.ts';

/** What a command may touch: an engine, and the terminal or files it was started on. */
export interface Context {
  readonly client: EngineClient;
  readonly env: Readonly<Record<string, string | undefined>>;
  out(data: string | Uint8Array): void;
  err(data: string | Uint8Array): void;
  isTerminal(descriptor: 0 | 1 | 2): boolean;
}

export function createContext(client: EngineClient, env: Context['env']): Context {
  return { client, env, out: (data) => writeWhole(1, data), err: (data) => writeWhole(2, data), isTerminal };
}
