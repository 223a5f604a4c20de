import { isCode, StrakeError } from '../../base/index.ts';
import type { Descriptor } from '../../oci/index.ts';
import type { RequestBody } from '../http/request-body.ts';
import { monolithicLimitBytes } from '../limits.ts';
import { parseUploadedRange } from './content-range.ts';
import { headerText } from './fetch-document.ts';
import type { HostClient } from './host-client.ts';
import { isTransient, type RegistryClient } from './registry-client.ts';
import { pullScope, pushScope } from './registry-request.ts';

export interface UploadBlobOptions {
  readonly repository: string;
  readonly blob: Descriptor;
  /** A repository of the same registry that is known to have the blob. */
  readonly mountFrom?: string | undefined;
  /** The blob's bytes from `offset` on, `length` of them. */
  readonly read: (offset: number, length: number) => AsyncIterable<Uint8Array>;
  /** Bytes that are sent; goes back where something is sent again. */
  readonly onProgress?: ((sentBytes: number) => void) | undefined;
  /** A larger blob goes in so large requests; undefined: in one. A registry that asks for larger ones gets them. */
  readonly chunkBytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export type UploadOutcome = 'exists' | 'mounted' | 'uploaded';

/** Sees to it that a repository has a blob: it is there, it is mounted from another repository, or it is sent. A broken transfer goes on where the registry says that it stopped. */
export async function uploadBlob(client: RegistryClient, options: UploadBlobOptions): Promise<UploadOutcome> {
  const upload = new Upload(client, await client.host('push'), options);
  if (await upload.exists()) return 'exists';
  return await upload.run();
}

interface Session {
  url: URL;
  chunkBytes: number;
}

class Upload {
  readonly #client: RegistryClient;
  readonly #host: HostClient;
  readonly #options: UploadBlobOptions;
  readonly #scopes: readonly string[];
  #position = 0;

  constructor(client: RegistryClient, host: HostClient, options: UploadBlobOptions) {
    this.#client = client;
    this.#host = host;
    this.#options = options;
    this.#scopes = [pushScope(options.repository)];
  }

  async exists(): Promise<boolean> {
    const { repository, blob } = this.#options;
    const response = await this.#client.retry(this.#host, this.#options.signal, async () =>
      this.#send(`${repository}/blobs/${blob.digest}`, { method: 'HEAD', accept: [200, 404] }),
    );
    response.discard();
    return response.status === 200;
  }

  async run(): Promise<UploadOutcome> {
    const { blob, mountFrom, signal } = this.#options;
    let session = mountFrom === undefined ? undefined : await this.#mount(mountFrom);
    if (session === 'mounted') return 'mounted';
    for (let attempt = 1; ; attempt++) {
      const before = this.#position;
      try {
        session ??= await this.#begin();
        if (blob.size <= monolithicLimitBytes) await this.#sendWhole(session);
        else await this.#sendRest(session);
        return 'uploaded';
      } catch (error) {
        if (this.#position > before) attempt = 1;
        if (!(isTransient(error) || isOutOfStep(error)) || attempt >= this.#client.attempts) throw error;
        await this.#client.pause(attempt, signal, error);
        session = session === undefined ? undefined : await this.#resumed(session);
      }
    }
  }

  /** Undefined when the registry does not want to: the token server may not let us read there, and an old one does not know how. */
  async #mount(from: string): Promise<Session | 'mounted' | undefined> {
    const { repository, blob } = this.#options;
    const target = `${repository}/blobs/uploads/?${new URLSearchParams({ mount: blob.digest, from })}`;
    try {
      const response = await this.#send(target, { method: 'POST', accept: [201, 202], scopes: [...this.#scopes, pullScope(from)] });
      response.discard();
      return response.status === 201 ? 'mounted' : await this.#sessionOf(response, target);
    } catch (error) {
      this.#options.signal?.throwIfAborted();
      if (!(error instanceof StrakeError)) throw error;
      return undefined;
    }
  }

  async #begin(): Promise<Session> {
    const target = `${this.#options.repository}/blobs/uploads/`;
    const response = await this.#send(target, { method: 'POST', accept: [202] });
    response.discard();
    this.#position = 0;
    return await this.#sessionOf(response, target);
  }

  async #sessionOf(response: Response, from: string): Promise<Session> {
    const least = Number(response.headers['oci-chunk-min-length'] ?? 0);
    const wanted = this.#options.chunkBytes ?? Number.POSITIVE_INFINITY;
    return { url: await this.#host.location(response, from, this.#options.signal), chunkBytes: Math.max(wanted, Number.isSafeInteger(least) ? least : 0) };
  }

  async #sendWhole({ url }: Session): Promise<void> {
    const response = await this.#send(this.#withDigest(url), { method: 'PUT', headers: octets, body: this.#body(0, this.#options.blob.size), accept: [201] });
    response.discard();
  }

  async #sendRest(session: Session): Promise<void> {
    const { size } = this.#options.blob;
    while (this.#position < size) {
      const length = Math.min(session.chunkBytes, size - this.#position);
      const headers = { ...octets, 'content-range': `${this.#position}-${this.#position + length - 1}` };
      const response = await this.#send(session.url, { method: 'PATCH', headers, body: this.#body(this.#position, length), accept: [202] });
      response.discard();
      session.url = await this.#host.location(response, session.url, this.#options.signal);
      this.#position += length;
    }
    const response = await this.#send(this.#withDigest(session.url), { method: 'PUT', headers: octets, body: new Uint8Array(), accept: [201] });
    response.discard();
  }

  /** Asks how much arrived. Undefined where the registry does not know the upload any more, or cannot say: a new one begins. */
  async #resumed(session: Session): Promise<Session | undefined> {
    if (this.#options.blob.size <= monolithicLimitBytes) return undefined;
    try {
      const response = await this.#send(session.url, { accept: [204, 202, 200] });
      response.discard();
      const arrived = parseUploadedRange(headerText(response, 'range'));
      if (arrived === undefined || arrived > this.#options.blob.size) return undefined;
      this.#position = arrived;
      const url = response.headers.location === undefined ? session.url : await this.#host.location(response, session.url, this.#options.signal);
      return { ...session, url };
    } catch (error) {
      this.#options.signal?.throwIfAborted();
      if (!(error instanceof StrakeError) || isTransient(error)) return session;
      return undefined;
    }
  }

  #body(offset: number, length: number): RequestBody {
    const { read, onProgress } = this.#options;
    return {
      sizeBytes: length,
      async *open() {
        let sent = offset;
        for await (const chunk of read(offset, length)) {
          yield chunk;
          sent += chunk.length;
          onProgress?.(sent);
        }
      },
    };
  }

  #withDigest(location: URL): URL {
    const url = new URL(location);
    url.searchParams.set('digest', this.#options.blob.digest);
    return url;
  }

  async #send(target: string | URL, request: Partial<Parameters<HostClient['send']>[0]>): Promise<Response> {
    return await this.#host.send({ target, capability: 'push', scopes: this.#scopes, signal: this.#options.signal, ...request });
  }
}

type Response = Awaited<ReturnType<HostClient['send']>>;

const octets = { 'content-type': 'application/octet-stream' };

/** The registry has another part of the upload than we think, or has forgotten it. */
function isOutOfStep(error: unknown): boolean {
  return isCode(error, 'OutOfRange') || isCode(error, 'NotFound');
}
