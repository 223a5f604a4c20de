import type { Client, Gate, Wanted } from './auth/gate.ts';
import { openGate } from './auth/open-gate.ts';
import type { PullThrough } from './cache/pull-through.ts';
import { registryError } from './errors.ts';
import { blobHeaders } from './handlers/blobs.ts';
import { findEndpoint } from './handlers/index.ts';
import type { RegistryRequest, Reply } from './http/message.ts';
import { parseTarget, type Target } from './http/target.ts';
import { checkDigest } from './names.ts';
import type { OnContentEvent } from './observe/events.ts';
import type { Storage } from './store/storage.ts';

export interface RegistryOptions {
  readonly storage: Storage;
  /** Everybody may do everything unless told. */
  readonly gate?: Gate;
  /** Nothing can be pushed or deleted. */
  readonly readOnly?: boolean;
  /** Brings what is not here. */
  readonly cache?: PullThrough | undefined;
  readonly onEvent?: OnContentEvent;
}

/** Answers one request. */
export type HandleRequest = (request: RegistryRequest) => Promise<Reply>;

/** The API of distribution-spec 1.1, below `/v2/`. */
export function createRegistry({ storage, gate = openGate, readOnly = false, cache, onEvent = () => undefined }: RegistryOptions): HandleRequest {
  return async (request) => {
    const target = parseTarget(request.path);
    if (target === undefined) return { status: 404, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, body: '404 page not found\n' };
    const client = await gate.identify(request);
    const { action, handle } = findEndpoint(target, request.method);
    const wanted: Wanted = { action, repository: 'repository' in target ? target.repository : undefined };
    if (!isAllowed(client, wanted)) throw gate.refusal(request, client, wanted);
    if (readOnly && (action === 'push' || action === 'delete')) throw registryError('UNSUPPORTED', 'the registry is read-only');
    const reply = (action === 'pull' ? await passing(cache, request, target) : undefined) ?? (await handle(storage, request, target, client));
    for (const event of reply.events ?? []) onEvent(event, request, client.name);
    return reply;
  };
}

function isAllowed(client: Client, { repository, action }: Wanted): boolean {
  if (action === 'enter') return client.mayEnter;
  if (action === 'list' || repository === undefined) return client.mayList;
  return client.may(repository, action);
}

/** What the cache sends on as it comes. Else it has brought it, if it is anywhere. */
async function passing(cache: PullThrough | undefined, { method, headers, signal }: RegistryRequest, target: Target): Promise<Reply | undefined> {
  if (cache !== undefined && target.kind === 'manifest') await cache.manifest(target.repository, target.reference, signal);
  if (cache === undefined || target.kind !== 'blob') return undefined;
  const { repository } = target;
  const digest = checkDigest(target.reference);
  const blob = await cache.blob(repository, digest, method === 'GET' && headers.range === undefined, signal);
  if (blob === undefined) return undefined;
  const { body, sizeBytes } = blob;
  return {
    status: 200,
    headers: { ...blobHeaders(digest), 'Content-Length': String(sizeBytes) },
    body,
    events: [{ action: 'pull', repository, digest, sizeBytes }],
  };
}
