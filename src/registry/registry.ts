import type { Client, Gate, Wanted } from './auth/gate.ts';
import { openGate } from './auth/open-gate.ts';
import { registryError } from './errors.ts';
import { findEndpoint } from './handlers/index.ts';
import type { RegistryRequest, Reply } from './http/message.ts';
import { parseTarget } from './http/target.ts';
import type { OnContentEvent } from './observe/events.ts';
import type { Storage } from './store/storage.ts';

export interface RegistryOptions {
  readonly storage: Storage;
  /** Everybody may do everything unless told. */
  readonly gate?: Gate;
  /** Nothing can be pushed or deleted. */
  readonly readOnly?: boolean;
  readonly onEvent?: OnContentEvent;
}

/** Answers one request. */
export type HandleRequest = (request: RegistryRequest) => Promise<Reply>;

/** The API of distribution-spec 1.1, below `/v2/`. */
export function createRegistry({ storage, gate = openGate, readOnly = false, onEvent = () => undefined }: RegistryOptions): HandleRequest {
  return async (request) => {
    const target = parseTarget(request.path);
    if (target === undefined) return { status: 404, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, body: '404 page not found\n' };
    const client = await gate.identify(request);
    const { action, handle } = findEndpoint(target, request.method);
    const wanted: Wanted = { action, repository: 'repository' in target ? target.repository : undefined };
    if (!isAllowed(client, wanted)) throw gate.refusal(request, client, wanted);
    if (readOnly && (action === 'push' || action === 'delete')) throw registryError('UNSUPPORTED', 'the registry is read-only');
    const reply = await handle(storage, request, target, client);
    for (const event of reply.events ?? []) onEvent(event, request, client.name);
    return reply;
  };
}

function isAllowed(client: Client, { repository, action }: Wanted): boolean {
  if (action === 'enter') return client.mayEnter;
  if (action === 'list' || repository === undefined) return client.mayList;
  return client.may(repository, action);
}
