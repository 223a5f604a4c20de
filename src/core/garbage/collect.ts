import { errorMessage, isCode, type Logger } from '../../base/index.ts';
import type { ContainerStore } from '../containers/containers.ts';
import type { ContentStore } from '../content/content.ts';
import type { ImageStore } from '../images/images.ts';
import { putPrefix } from '../images/import-image.ts';
import { referencedDigests } from '../images/resolve-image.ts';
import type { SnapshotInfo, Snapshotter } from '../snapshots/snapshots.ts';
import { unpackPrefix } from '../unpack/layer-unpacker.ts';
import type { Leases } from './leases.ts';

export interface GarbageOptions {
  readonly content: ContentStore;
  readonly snapshots: Snapshotter;
  readonly images: ImageStore;
  readonly containers: ContainerStore;
  readonly leases: Leases;
  /** Names the images whose documents are damaged: they keep nothing alive. */
  readonly log?: Logger;
  /** Also active snapshots that no container names: only when no container is being made, as at the daemon's start. */
  readonly activeSnapshots?: boolean;
  readonly now?: () => Date;
}

const ingestLifeMs = 24 * 3600_000;

export interface GarbageReport {
  readonly blobs: readonly string[];
  readonly snapshots: readonly string[];
  /** compressed bytes of the blobs */
  readonly freedBytes: number;
}

/** Removes blobs and snapshots that no image, container or lease needs: mark from the images and containers, sweep the rest. */
export async function collectGarbage(options: GarbageOptions): Promise<GarbageReport> {
  const marked = await mark(options);
  const snapshots = await sweepSnapshots(options, marked);
  const blobs: string[] = [];
  let freedBytes = 0;
  for await (const { digest, sizeBytes } of options.content.walk()) {
    if (marked.has(digest) || options.leases.holds(digest)) continue;
    if (!(await removed(options.content.delete(digest)))) continue;
    blobs.push(digest);
    freedBytes += sizeBytes;
  }
  await sweepIngests(options);
  return { blobs, snapshots, freedBytes };
}

async function mark({ content, images, containers, log }: GarbageOptions): Promise<ReadonlySet<string>> {
  const marked = new Set<string>();
  for (const { name, target } of await images.list()) {
    const { digests, chainIds } = await referencedDigests(content, target, (error) =>
      log?.error('an image is damaged: pull it again, or remove it', { image: name, error: errorMessage(error) }),
    );
    for (const name of [...digests, ...chainIds]) marked.add(name);
  }
  for (const { snapshotKey } of await containers.list()) marked.add(snapshotKey);
  return marked;
}

/** From the leaves down: a snapshot goes when nothing that stays is above it. */
async function sweepSnapshots({ snapshots, leases, activeSnapshots = false }: GarbageOptions, marked: ReadonlySet<string>): Promise<string[]> {
  const infos = await Array.fromAsync(snapshots.walk());
  const isGarbage = ({ key, kind }: SnapshotInfo): boolean => {
    if (marked.has(key) || leases.holds(key) || leases.holds(key.replace(unpackPrefix, ''))) return false;
    return kind === 'committed' || activeSnapshots || key.startsWith(unpackPrefix);
  };
  const children = new Map<string, number>();
  for (const { parent } of infos) if (parent !== undefined) children.set(parent, (children.get(parent) ?? 0) + 1);
  const gone: string[] = [];
  const byKey = new Map(infos.map((info) => [info.key, info]));
  const leaves = infos.filter(({ key }) => !children.has(key));
  for (let info = leaves.pop(); info; info = leaves.pop()) {
    if (!isGarbage(info) || !(await removed(snapshots.remove(info.key)))) continue;
    gone.push(info.key);
    const parent = info.parent === undefined ? undefined : byKey.get(info.parent);
    if (parent === undefined) continue;
    const left = (children.get(parent.key) ?? 1) - 1;
    children.set(parent.key, left);
    if (left === 0) leaves.push(parent);
  }
  return gone;
}

/** Downloads that were broken off wait for their next try a day; small blobs never go on. One that is being written is locked. */
async function sweepIngests({ content, now = () => new Date() }: GarbageOptions): Promise<void> {
  for (const { ref, updatedAt } of await content.ingests()) {
    if (!ref.startsWith(putPrefix) && now().getTime() - updatedAt.getTime() < ingestLifeMs) continue;
    await removed(content.abort(ref));
  }
}

/** Whoever was quicker, or uses it again, is right. */
async function removed(removal: Promise<void>): Promise<boolean> {
  try {
    await removal;
    return true;
  } catch (error) {
    if (isCode(error, 'NotFound') || isCode(error, 'FailedPrecondition') || isCode(error, 'Unavailable')) return false;
    throw error;
  }
}
