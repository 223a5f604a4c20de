// A registry in this process, with a root of its own, for the tests.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { silentLogger } from '../base/index.ts';
import { type ContentStore, MetadataDatabase, openLocalContent } from '../core/index.ts';
import { digestOf, mediaTypes } from '../oci/index.ts';
import { type ServerOptions, startServer } from './http/server.ts';
import { createRegistry, type HandleRequest, type RegistryOptions } from './registry.ts';
import { registrySchema } from './store/schema.ts';
import { createStorage, type Storage } from './store/storage.ts';

export interface TestRegistry extends AsyncDisposable {
  readonly root: string;
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly storage: Storage;
  readonly content: ContentStore;
  /** A request to `/v2/…`, redirects not followed. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** Pushes a blob in one request; answers its digest. */
  pushBlob(repository: string, text: string): Promise<string>;
  /** Pushes an image of these layers under a tag or digest; answers the answer. */
  pushImage(repository: string, reference: string, layers: readonly string[], more?: object): Promise<Response>;
}

export interface TestRegistryOptions {
  readonly root?: string;
  readonly now?: () => Date;
  readonly options?: Partial<Omit<RegistryOptions, 'storage'>>;
  /** Options that need the storage. */
  readonly makeOptions?: (storage: Storage) => Partial<Omit<RegistryOptions, 'storage'>>;
  readonly onAnswered?: ServerOptions['onAnswered'];
  /** What stands before the API. */
  readonly wrap?: (api: HandleRequest, storage: Storage) => HandleRequest;
}

export async function startTestRegistry({
  root: given,
  now = () => new Date(),
  options = {},
  makeOptions = () => ({}),
  onAnswered = () => undefined,
  wrap = (api) => api,
}: TestRegistryOptions = {}): Promise<TestRegistry> {
  const root = given ?? mkdtempSync(path.join(tmpdir(), 'strake-registry-'));
  const cleanup = new AsyncDisposableStack();
  if (given === undefined) cleanup.defer(() => rmSync(root, { recursive: true, force: true }));
  const { content } = cleanup.use(openLocalContent({ root, log: silentLogger, now }));
  const db = cleanup.use(MetadataDatabase.open({ root, log: silentLogger, now, file: 'registry.db', schema: registrySchema }));
  const storage = createStorage({ content, db, now });
  cleanup.defer(async () => await storage.uploads.close());
  const handle = wrap(createRegistry({ ...options, ...makeOptions(storage), storage }), storage);
  const server = await startServer({ host: '127.0.0.1', port: 0, handle, log: silentLogger, onAnswered });
  cleanup.defer(async () => await server.close(0));
  const url = `http://127.0.0.1:${server.port}`;
  const send = async (path: string, init: RequestInit = {}) => await fetch(`${url}/v2/${path}`, { redirect: 'manual', ...init });
  const pushBlob = async (repository: string, text: string) => {
    const digest = digestOf(text);
    const { status } = await send(`${repository}/blobs/uploads/?digest=${digest}`, { method: 'POST', body: text });
    if (status !== 201) throw new Error(`blob: ${status}`);
    return digest;
  };
  return {
    root,
    url,
    storage,
    content,
    fetch: send,
    pushBlob,
    async pushImage(repository, reference, layers, more = {}) {
      const descriptor = async (mediaType: string, text: string) => ({ mediaType, digest: await pushBlob(repository, text), size: Buffer.byteLength(text) });
      const config = await descriptor(mediaTypes.ociConfig, '{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}');
      const described: object[] = [];
      for (const layer of layers) described.push(await descriptor(mediaTypes.ociLayer, layer));
      const body = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: described, ...more });
      const name = reference === 'digest' ? digestOf(body) : reference;
      return await send(`${repository}/manifests/${name}`, { method: 'PUT', body, headers: { 'content-type': mediaTypes.ociManifest } });
    },
    [Symbol.asyncDispose]: async () => await cleanup.disposeAsync(),
  };
}

/** The codes of an error answer. */
export async function errorCodes(response: Response): Promise<string> {
  const body = (await response.json()) as { readonly errors: readonly { readonly code: string }[] };
  return `${response.status} ${body.errors.map(({ code }) => code).join(' ')}`;
}
