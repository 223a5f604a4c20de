// A registry in this process that lies, stalls and breaks off as a test tells it to.
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { type TarFile, writeTar } from '../core/index.ts';
import { type Descriptor, digestOf, hostPlatform, mediaTypes } from '../oci/index.ts';

export type Answer = (request: http.IncomingMessage, response: http.ServerResponse) => boolean;

export interface TestRegistry extends AsyncDisposable {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  /** `METHOD path [range] [authorization]` of every request below /v2/ */
  readonly requests: string[];
  readonly content: Map<string, { readonly type: string; readonly body: Uint8Array; readonly headers?: Readonly<Record<string, string>> }>;
  /** Asked first; false: the content answers. */
  answer: Answer;
}

/** Serves what is in `content`, by path; a Range from an offset is honoured. */
export async function startTestRegistry(tls?: https.ServerOptions): Promise<TestRegistry> {
  const serve: http.RequestListener = (request, response) => {
    const { authorization, range } = request.headers;
    if (request.url !== '/v2/') registry.requests.push([request.method, request.url, range, authorization].filter(Boolean).join(' '));
    if (registry.answer(request, response)) return;
    const entry = registry.content.get(request.url ?? '');
    if (entry === undefined) {
      response.writeHead(404, { 'content-type': 'application/json' }).end('{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest\\u001b unknown"}]}');
      return;
    }
    const start = Number(/^bytes=(\d+)-/.exec(range ?? '')?.[1] ?? 0);
    const body = entry.body.subarray(start);
    const partial = range === undefined ? {} : { 'content-range': `bytes ${start}-${entry.body.length - 1}/${entry.body.length}` };
    response.writeHead(range === undefined ? 200 : 206, { 'content-type': entry.type, 'content-length': body.length, ...entry.headers, ...partial }).end(body);
  };
  const server = tls === undefined ? http.createServer(serve) : https.createServer(tls, serve);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const registry: TestRegistry = {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    content: new Map(),
    answer: () => false,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
  return registry;
}

export interface TestImage {
  readonly manifest: Descriptor;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly diffIds: readonly string[];
}

export interface TestImageChange {
  readonly config?: (config: Record<string, unknown>) => unknown;
  readonly manifest?: (manifest: Record<string, unknown>) => unknown;
}

/** Puts an image of gzip layers at `REPOSITORY:latest`, changed as the test wants. */
export function putImage({ content }: TestRegistry, repository: string, layers: readonly (readonly TarFile[])[], change: TestImageChange = {}): TestImage {
  const put = (bytes: Uint8Array, mediaType: string, kind: 'blobs' | 'manifests'): Descriptor => {
    const digest = digestOf(bytes);
    content.set(`/v2/${repository}/${kind}/${digest}`, { type: mediaType, body: bytes });
    return { mediaType, digest, size: bytes.length };
  };
  const tars = layers.map(writeTar);
  const descriptors = tars.map((tar) => put(gzipSync(tar), mediaTypes.ociLayerGzip, 'blobs'));
  const diffIds = tars.map((tar) => digestOf(tar));
  const json = (value: unknown) => Buffer.from(JSON.stringify(value));
  const { config: changeConfig = (value) => value, manifest: changeManifest = (value) => value } = change;
  const config = put(json(changeConfig({ ...hostPlatform(), rootfs: { type: 'layers', diff_ids: diffIds } })), mediaTypes.ociConfig, 'blobs');
  const body = json(changeManifest({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: descriptors }));
  const manifest = put(body, mediaTypes.ociManifest, 'manifests');
  content.set(`/v2/${repository}/manifests/latest`, { type: mediaTypes.ociManifest, body, headers: { 'docker-content-digest': manifest.digest } });
  return { manifest, config, layers: descriptors, diffIds };
}
