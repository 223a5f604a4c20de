import { StrakeError } from '../base/index.ts';
import type { Credentials } from './auth/credentials.ts';
import { RegistryClient, type RegistryClientOptions } from './registry/registry-client.ts';

export interface LoginOptions extends RegistryClientOptions {
  readonly credentials: Credentials;
  readonly signal?: AbortSignal | undefined;
}

/** Asks a registry whether it takes the credentials: Unauthenticated when it does not. Not its mirrors, which do not know them. */
export async function checkLogin({ signal, ...options }: LoginOptions): Promise<void> {
  const hosts = await new RegistryClient(options).hosts('resolve');
  const registry = hosts.findLast(({ host }) => !host.isMirror);
  if (registry === undefined)
    throw new StrakeError('FailedPrecondition', `no host but mirrors is configured for ${options.domain}`, { fields: { layer: 'distribution' } });
  const response = await registry.send({ target: '', capability: 'resolve', scopes: [], signal });
  response.discard();
}
