// The pushing half of the registry of the tests: uploads in one request, in pieces, and from another repository.
import type http from 'node:http';
import { digestOf } from '../oci/index.ts';
import type { TestRegistry } from './fixtures-registry.ts';

export interface Uploads {
  /** Bytes of unfinished uploads, by id. */
  readonly open: Map<string, Buffer>;
  /** Bytes of bodies of uploads that came in, sent again or not. */
  received: number;
  /** Breaks the connection when an upload has so many bytes; used once each. */
  readonly breakAt: number[];
  /** Asked first, as of the registry itself. */
  answer: TestRegistry['answer'];
  readonly minLength: number | undefined;
  readonly knowsSubject: boolean;
}

/** Makes a test registry take pushes. */
export function takePushes(registry: TestRegistry, settings: Partial<Uploads> = {}): Uploads {
  const uploads: Uploads = { open: new Map(), received: 0, breakAt: [], answer: () => false, minLength: undefined, knowsSubject: true, ...settings };
  let nextId = 0;
  const begin = (response: http.ServerResponse, repository: string) => {
    const id = String(nextId++);
    uploads.open.set(id, Buffer.alloc(0));
    const least = uploads.minLength === undefined ? {} : { 'oci-chunk-min-length': uploads.minLength };
    response.writeHead(202, { location: `/v2/${repository}/blobs/uploads/${id}?state=s`, 'content-length': 0, ...least }).end();
  };
  const take = async (request: http.IncomingMessage, response: http.ServerResponse, repository: string, id: string) => {
    let have = uploads.open.get(id) ?? Buffer.alloc(0);
    const { searchParams } = new URL(request.url ?? '', 'http://x');
    const from = /^(\d+)-/.exec(request.headers['content-range'] ?? '')?.[1];
    if (!uploads.open.has(id) || searchParams.get('state') !== 's') return void response.writeHead(404).end();
    if (request.method === 'PATCH' && Number(from) !== have.length)
      return void response.writeHead(416, { range: `0-${have.length - 1}`, 'content-length': 0 }).end();
    for await (const chunk of request as AsyncIterable<Buffer>) {
      uploads.received += chunk.length;
      have = Buffer.concat([have, chunk]);
      uploads.open.set(id, have);
      if (uploads.breakAt[0] !== undefined && have.length >= uploads.breakAt[0]) {
        uploads.breakAt.shift();
        return void request.socket.destroy();
      }
    }
    const location = `/v2/${repository}/blobs/uploads/${id}?state=s`;
    if (request.method === 'PATCH') return void response.writeHead(202, { location, range: `0-${have.length - 1}`, 'content-length': 0 }).end();
    const digest = searchParams.get('digest') ?? '';
    if (digestOf(have) !== digest)
      return void response.writeHead(400, { 'content-type': 'application/json' }).end('{"errors":[{"code":"DIGEST_INVALID","message":"digest invalid"}]}');
    uploads.open.delete(id);
    registry.content.set(`/v2/${repository}/blobs/${digest}`, { type: 'application/octet-stream', body: have });
    response.writeHead(201, { 'content-length': 0 }).end();
  };
  registry.answer = (request, response) => {
    if (uploads.answer(request, response)) return true;
    const { method, url = '' } = request;
    const [, repository = '', id = ''] = /^\/v2\/(.+?)\/blobs\/uploads\/([^?]*)/.exec(url) ?? [];
    if (repository !== '' && method === 'POST') {
      const query = new URL(url, 'http://x').searchParams;
      const source = registry.content.get(`/v2/${query.get('from')}/blobs/${query.get('mount')}`);
      if (source === undefined) begin(response, repository);
      else {
        registry.content.set(`/v2/${repository}/blobs/${query.get('mount')}`, source);
        response.writeHead(201, { 'content-length': 0 }).end();
      }
      return true;
    }
    if (repository !== '' && method === 'GET') {
      const have = uploads.open.get(id);
      if (have === undefined) response.writeHead(404).end();
      else response.writeHead(204, { range: `0-${Math.max(0, have.length - 1)}` }).end();
      return true;
    }
    if (repository !== '') {
      // A broken body is the test's own doing.
      take(request, response, repository, id).catch(() => response.destroy());
      return true;
    }
    if (method !== 'PUT' || !url.includes('/manifests/')) return false;
    storeManifest(registry, request, response, uploads.knowsSubject).catch(() => response.destroy());
    return true;
  };
  return uploads;
}

async function storeManifest({ content }: TestRegistry, request: http.IncomingMessage, response: http.ServerResponse, knowsSubject: boolean): Promise<void> {
  const body = Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>));
  const type = request.headers['content-type'] ?? '';
  const digest = digestOf(body);
  const repository = /^\/v2\/(.+)\/manifests\//.exec(request.url ?? '')?.[1] ?? '';
  const { config, layers = [], manifests = [], subject } = JSON.parse(body.toString()) as Record<string, never>;
  const named = [...[config ?? []].flat(), ...layers].map(({ digest: blob }) => `/v2/${repository}/blobs/${blob}`);
  const missing = [...named, ...manifests.map(({ digest: one }) => `/v2/${repository}/manifests/${one}`)].some((path) => !content.has(path));
  // The referrers' index may name what was pushed before, elsewhere.
  if (missing && !request.url?.includes('/sha256-')) return void response.writeHead(404, { 'content-length': 0 }).end();
  const headers = { 'docker-content-digest': digest };
  for (const path of [request.url ?? '', `/v2/${repository}/manifests/${digest}`]) content.set(path, { type, body, headers });
  response
    .writeHead(201, {
      ...headers,
      ...(subject !== undefined && knowsSubject ? { 'oci-subject': (subject as { digest: string }).digest } : {}),
      'content-length': 0,
    })
    .end();
}
