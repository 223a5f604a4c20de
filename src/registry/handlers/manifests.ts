import { isCode, type StrakeError } from '../../base/index.ts';
import { putBlob } from '../../core/index.ts';
import { digestOf, parseDigest } from '../../oci/index.ts';
import { registryError } from '../errors.ts';
import { contentLength, type Reply } from '../http/message.ts';
import { limits } from '../limits.ts';
import { readManifest } from '../manifest.ts';
import { isTag, parseManifestName } from '../names.ts';
import type { Catalogue, ManifestRecord, NewManifest } from '../store/catalogue.ts';
import type { Endpoint } from './endpoint.ts';

export const getManifest: Endpoint<'manifest'> = {
  action: 'pull',
  async handle({ catalogue, content }, request, { repository, reference }) {
    const record = find(catalogue, repository, reference);
    const headers = { 'Content-Type': record.mediaType, 'Docker-Content-Digest': record.digest, ETag: `"${record.digest}"` };
    if (request.headers['if-none-match'] === headers.ETag) return { status: 304, headers };
    if (request.method === 'HEAD') return { status: 200, headers: { ...headers, 'Content-Length': String(record.sizeBytes) } };
    try {
      const { digest, mediaType, sizeBytes } = record;
      const tag = isTag(reference) ? reference : undefined;
      const body = await content.readAll(digest, limits.manifestBytes);
      return { status: 200, headers, body, events: [{ action: 'pull', repository, digest, tag, mediaType, sizeBytes }] };
    } catch (cause) {
      if (isCode(cause, 'NotFound') || isCode(cause, 'DataLoss')) throw unknownManifest(repository, reference, cause);
      throw cause;
    }
  },
};

export const putManifest: Endpoint<'manifest'> = {
  action: 'push',
  async handle({ catalogue, content, locks }, request, { repository, reference }) {
    const named = parseManifestName(reference);
    const bytes = await readBody(request.body, contentLength(request));
    const digest = digestOf(bytes, 'digest' in named ? parseDigest(named.digest).algorithm : 'sha256');
    if ('digest' in named && named.digest !== digest)
      throw registryError('DIGEST_INVALID', 'provided digest did not match uploaded content', { detail: { digest } });
    const tags = 'tag' in named ? [named.tag] : tagsOf(request.query);
    const manifest = readManifest(bytes, request.headers['content-type'], digest);
    checkParts(catalogue, repository, manifest.required);
    await locks.run(digest, async () => {
      await putBlob(content, manifest.descriptor, bytes);
      catalogue.putManifest({ repository, digest, sizeBytes: bytes.length, tags, ...manifest });
    });
    catalogue.flush();
    return {
      status: 201,
      headers: {
        Location: `/v2/${repository}/manifests/${digest}`,
        'Docker-Content-Digest': digest,
        'Content-Length': '0',
        ...(manifest.subject === undefined ? {} : { 'OCI-Subject': manifest.subject }),
        ...(tags.length > 0 && 'digest' in named ? { 'OCI-Tag': tags } : {}),
      },
      events: (tags.length === 0 ? [undefined] : tags).map((tag) => ({
        action: 'push' as const,
        repository,
        digest,
        tag,
        mediaType: manifest.mediaType,
        sizeBytes: bytes.length,
      })),
    };
  },
};

export const deleteManifest: Endpoint<'manifest'> = {
  action: 'delete',
  async handle({ catalogue }, _request, { repository, reference }): Promise<Reply> {
    const named = parseManifestName(reference);
    const wasThere = 'tag' in named ? catalogue.deleteTag(repository, named.tag) : catalogue.deleteManifest(repository, named.digest);
    if (wasThere === undefined) throw unknownManifest(repository, reference);
    catalogue.flush();
    const event = { action: 'delete' as const, repository, ...named };
    return { status: 202, headers: { 'Content-Length': '0' }, events: [event] };
  },
};

function find(catalogue: Catalogue, repository: string, reference: string): ManifestRecord {
  const named = parseManifestName(reference);
  const record = 'tag' in named ? catalogue.taggedManifest(repository, named.tag) : catalogue.manifest(repository, named.digest);
  if (record !== undefined) return record;
  throw catalogue.hasRepository(repository)
    ? unknownManifest(repository, reference)
    : registryError('NAME_UNKNOWN', 'repository name not known to registry', { detail: { name: repository } });
}

function unknownManifest(repository: string, reference: string, cause?: unknown): StrakeError {
  return registryError('MANIFEST_UNKNOWN', 'manifest unknown', { detail: { name: repository, reference }, cause });
}

/** Tags of a push by digest (distribution-spec, "Pushing Manifests"). */
function tagsOf(query: URLSearchParams): string[] {
  const tags = [...new Set(query.getAll('tag'))];
  const bad = tags.find((tag) => !isTag(tag));
  if (bad !== undefined) throw registryError('TAG_INVALID', `invalid tag ${JSON.stringify(bad.slice(0, 160))}`);
  if (tags.length > limits.tagsPerPush) throw registryError('TAG_INVALID', `${tags.length} tags, at most ${limits.tagsPerPush} are possible`);
  return tags;
}

async function readBody(body: AsyncIterable<Uint8Array>, announced: number | undefined): Promise<Uint8Array> {
  const tooLarge = () => registryError('MANIFEST_TOO_LARGE', `manifests have at most ${limits.manifestBytes} bytes`);
  if ((announced ?? 0) > limits.manifestBytes) throw tooLarge();
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of body) {
    size += part.length;
    if (size > limits.manifestBytes) throw tooLarge();
    parts.push(part);
  }
  return Buffer.concat(parts, size);
}

/** What a manifest names has to be in its repository: who pulls it would miss it. All that is missing is told. */
function checkParts(catalogue: Catalogue, repository: string, parts: NewManifest['parts']): void {
  const missing = parts.filter(({ digest, kind }) => !(kind === 'blob' ? catalogue.hasBlob(repository, digest) : catalogue.manifest(repository, digest)));
  if (missing.length === 0) return;
  throw registryError('MANIFEST_BLOB_UNKNOWN', `manifest names ${missing[0]?.kind} ${missing[0]?.digest}, which repository ${repository} has not`, {
    detail: { digests: missing.map(({ digest }) => digest) },
  });
}
