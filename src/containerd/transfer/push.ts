import type { ImageStore, OCIRegistry } from '../../api/containerd/index.ts';
import { shortId } from '../../base/index.ts';
import { createPusher, type PullProgress, planPush, pushWords } from '../../distribution/index.ts';
import { canonicalName, type Descriptor } from '../../oci/index.ts';
import { platformsOf } from './ends.ts';
import { type Progress, refOf } from './progress.ts';
import { remoteImage } from './registry-settings.ts';
import type { Transfer } from './transfers.ts';

/** From the image store to a registry: of an index the first platform that is asked for, or everything. */
export async function push(transfer: Transfer, store: ImageStore, destination: OCIRegistry): Promise<void> {
  const { call, means, progress } = transfer;
  const { stores, signal } = call;
  const to = `OCI Registry (${destination.reference})`;
  const { target } = await stores.images.get(store.name);
  progress.step({ event: `Pushing to ${to}` });
  progress.step({ event: 'pushing content', name: store.name });
  const { reference, registry, credentials } = await remoteImage(transfer, destination);
  const platform = platformsOf(store.platforms)?.[0];
  const { blobs, documents } = await planPush(stores.content, target, platform);
  const moving = [...documents.map(({ descriptor }) => descriptor), ...blobs.map(({ descriptor }) => descriptor)];
  for (const descriptor of moving) progress.found(descriptor, descriptor.digest === target.digest ? store.name : target);
  const shown = new Map(blobs.flatMap(({ descriptor, shownAs }) => (shownAs === undefined ? [] : [[shortId(shownAs), descriptor] as const])));
  const push = createPusher({ ...registry, uploads: means.uploads, content: stores.content, leases: stores.leases });
  await push({ reference: canonicalName(reference), target, platform, credentials, progress: (line) => tell(progress, shown, line), signal });
  for (const descriptor of moving) progress.moved(descriptor, { state: 'complete' });
  progress.step({ event: 'pushed content', name: store.name, parents: [refOf(target)], descriptor: target });
  progress.step({ event: `Completed push to ${to}` });
}

/** docker's lines, as containerd's steps. */
function tell(progress: Progress, shown: ReadonlyMap<string, Descriptor>, { id, status, progressDetail }: PullProgress): void {
  const descriptor = shown.get(id ?? '');
  if (descriptor === undefined || status !== pushWords.pushing || progressDetail === undefined) return;
  progress.moved(descriptor, { state: 'downloading', currentBytes: progressDetail.current, totalBytes: progressDetail.total }, 'uploading');
}
