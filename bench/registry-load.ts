/** `bun registry-load.ts pull|push URL PARALLEL BLOBS BYTES`: blobs through a registry, so many at once; a pull is of what the first pull has pushed. */
import { createHash } from 'node:crypto';

const [direction, url = '', parallel = '1', count = '1', bytes = '1'] = process.argv.slice(2);
const repository = `${url}/v2/load`;

/** A blob that nobody has seen (push), or the one of that number (pull). */
function blob(index: number, fresh: boolean): { readonly data: Uint8Array; readonly digest: string } {
  const data = new Uint8Array(Number(bytes)).fill(index);
  const view = new DataView(data.buffer);
  view.setFloat64(0, fresh ? performance.timeOrigin + performance.now() : 0);
  view.setUint32(8, index);
  return { data, digest: `sha256:${createHash('sha256').update(data).digest('hex')}` };
}

async function push(index: number, fresh: boolean): Promise<void> {
  const { data, digest } = blob(index, fresh);
  const started = await expectStatus(202, await fetch(`${repository}/blobs/uploads/`, { method: 'POST' }));
  const location = new URL(started.headers.get('location') ?? '', url);
  location.searchParams.set('digest', digest);
  await expectStatus(201, await fetch(location, { method: 'PUT', body: data, headers: { 'content-type': 'application/octet-stream' } }));
}

async function pull(index: number): Promise<void> {
  const { digest } = blob(index, false);
  const response = await fetch(`${repository}/blobs/${digest}`);
  if (response.status === 404) {
    await push(index, false);
    return await pull(index);
  }
  await expectStatus(200, response);
  let length = 0;
  for await (const piece of response.body ?? []) length += piece.length;
  if (length !== Number(bytes)) throw new Error(`${digest}: ${length} bytes`);
}

async function expectStatus(status: number, response: Response): Promise<Response> {
  if (response.status !== status) throw new Error(`${response.url}: HTTP status ${response.status}, not ${status}: ${await response.text()}`);
  return response;
}

let next = 0;
await Promise.all(
  Array.from({ length: Number(parallel) }, async () => {
    for (let index = next++; index < Number(count); index = next++) await (direction === 'push' ? push(index, true) : pull(index));
  }),
);
