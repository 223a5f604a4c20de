import type { Logger } from '../base/index.ts';
import { type Action, findEndpoint, type Registry } from './handlers/index.ts';
import type { RegistryRequest, Reply } from './http/message.ts';
import { parseTarget } from './http/target.ts';
import type { Storage } from './store/storage.ts';

export interface RegistryOptions {
  readonly storage: Storage;
  readonly log: Logger;
}

/** Answers one request of the API. */
export type HandleRequest = (request: RegistryRequest) => Promise<Reply>;

export function createRegistry({ storage }: RegistryOptions): HandleRequest {
  const registry: Registry = { ...storage, mayAccess: async (_request: RegistryRequest, _repository: string, _action: Action) => true };
  return async (request) => {
    const target = parseTarget(request.path);
    if (target === undefined) return { status: 404, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, body: '404 page not found\n' };
    const endpoint = findEndpoint(target, request.method);
    return await endpoint.handle(registry, request, target);
  };
}
