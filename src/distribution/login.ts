import type { Credentials } from './auth/credentials.ts';
import { RegistryClient } from './registry/registry-client.ts';

export interface LoginOptions {
  /** `docker.io`, `localhost:5000` */
  readonly domain: string;
  readonly credentials: Credentials;
  readonly insecureRegistries?: readonly string[];
  readonly idleTimeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Asks a registry whether it takes the credentials: Unauthenticated when it does not. */
export async function checkLogin({ signal, ...client }: LoginOptions): Promise<void> {
  const response = await new RegistryClient(client).request('/v2/', '', { signal });
  response.discard();
}
