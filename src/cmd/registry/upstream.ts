import { StrakeError } from '../../base/index.ts';
import { type Credentials, fetchBlob, fetchDocument, Proxies, proxiesOfEnvironment, RegistryClient } from '../../distribution/index.ts';
import { isDigest, parseReference } from '../../oci/index.ts';
import type { Upstream } from '../../registry/index.ts';

/** A client waits meanwhile, and may try again itself. */
const attempts = 3;

/** A registry as the distribution's client sees it: with its tries, tokens, hosts and limits. */
export function createUpstream({
  domain,
  insecure,
  credentials,
}: {
  readonly domain: string;
  readonly insecure: boolean;
  readonly credentials: Credentials | undefined;
}): Upstream {
  const client = new RegistryClient({
    domain,
    credentials,
    insecureRegistries: insecure ? [domain] : [],
    attempts,
    proxies: new Proxies(proxiesOfEnvironment(process.env)),
  });
  const scopes = (repository: string) => [`repository:${repository}:pull`];
  const head = async (target: string, repository: string, capability: 'pull' | 'resolve', signal: AbortSignal | undefined, tries = attempts) => {
    const response = await client.request({ target, capability, scopes: scopes(repository), method: 'HEAD', headers: { accept: '*/*' }, signal }, tries);
    response.discard();
    return response.headers;
  };
  return {
    name: domain,
    /** One try: whoever asks has an older answer. */
    async resolve(repository, tag, signal) {
      const digest = (await head(`${repository}/manifests/${tag}`, repository, 'resolve', signal, 1))['docker-content-digest'];
      return isDigest(digest) ? digest : undefined;
    },
    async manifest(repository, name, signal) {
      const reference = { domain, path: parseReference(`${domain}/${repository}`).path, tag: undefined, digest: undefined, ...name };
      return await fetchDocument(client, reference, signal);
    },
    async blobSize(repository, digest, signal) {
      const size = Number((await head(`${repository}/blobs/${digest}`, repository, 'pull', signal))['content-length']);
      if (Number.isSafeInteger(size)) return size;
      throw new StrakeError('Unavailable', `${domain} does not say how large blob ${digest} is`, { fields: { layer: 'registry' } });
    },
    blob: (repository, digest, size, signal) => fetchBlob(client, { repository, blob: { mediaType: 'application/octet-stream', digest, size }, signal }),
  };
}
