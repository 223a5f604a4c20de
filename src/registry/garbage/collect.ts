import { isCode } from '../../base/index.ts';
import type { Storage } from '../store/storage.ts';

export interface GarbageOptions {
  readonly storage: Storage;
  /** What is younger is left alone: a push brings its blobs before the manifest that names them. */
  readonly graceMs: number;
  /** Uploads that nobody went on with for so long are forgotten. */
  readonly uploadLifeMs: number;
  /** Also manifests without a tag that nothing else leads to. */
  readonly untagged: boolean;
  /** Of a cache: manifests that were brought so long ago go too. */
  readonly cacheLifeMs?: number | undefined;
  readonly now?: () => Date;
  readonly signal?: AbortSignal;
}

export interface GarbageReport {
  readonly uploads: number;
  readonly manifests: number;
  /** blobs that a repository had and no manifest of it named */
  readonly unlinked: number;
  readonly repositories: number;
  /** blobs that no repository had */
  readonly blobs: number;
  readonly freedBytes: number;
}

/** Takes away what nothing leads to, while clients push and pull. */
export async function collectGarbage({
  storage,
  graceMs,
  uploadLifeMs,
  untagged,
  cacheLifeMs,
  now = () => new Date(),
  signal,
}: GarbageOptions): Promise<GarbageReport> {
  const { catalogue, content, uploads } = storage;
  const ago = (ms: number) => new Date(now().getTime() - ms);
  const expired = await uploads.expire(ago(uploadLifeMs));
  let manifests = cacheLifeMs === undefined ? 0 : catalogue.deleteOlder(ago(cacheLifeMs));
  for (let deleted = -1; untagged && deleted !== 0; manifests += deleted) deleted = catalogue.deleteUnreachable(ago(graceMs));
  const unlinked = catalogue.unlinkUnnamed(ago(graceMs));
  const repositories = catalogue.deleteEmpty();
  // No blob goes before its link is gone for good.
  if (manifests + unlinked > 0) catalogue.flush();
  let blobs = 0;
  let freedBytes = 0;
  for await (const { digest, sizeBytes } of content.walk()) {
    if (signal?.aborted) break;
    if (catalogue.isUsed(digest) || !(await sweep(storage, digest))) continue;
    blobs++;
    freedBytes += sizeBytes;
  }
  return { uploads: expired, manifests, unlinked, repositories, blobs, freedBytes };
}

/** Under the lock under which content is stored and linked. */
async function sweep({ catalogue, content, locks }: Storage, digest: string): Promise<boolean> {
  return await locks.run(digest, async () => {
    if (catalogue.isUsed(digest)) return false;
    try {
      await content.delete(digest);
      return true;
    } catch (error) {
      if (isCode(error, 'NotFound')) return false;
      throw error;
    }
  });
}
