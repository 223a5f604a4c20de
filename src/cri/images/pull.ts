import type { ImageStore } from '../../core/index.ts';
import type { Credentials, PullImage } from '../../distribution/index.ts';
import { type Reference, repositoryName, storeName } from '../../oci/index.ts';
import { imageLabels } from './image.ts';

export interface PullStores {
  readonly store: ImageStore;
  readonly pull: PullImage;
  readonly flush: () => void;
}

export interface CriPull {
  readonly reference: Reference;
  readonly credentials: Credentials | undefined;
  readonly signal: AbortSignal;
}

/** Pulls, and gives the image the names that it has in containerd's CRI: the reference, the repository with the digest, the id. Answers the id. */
export async function pullImage({ store, pull, flush }: PullStores, { reference, credentials, signal }: CriPull): Promise<string> {
  const { record, image } = await pull({ reference: storeName(reference), credentials, signal });
  const id = image.manifest.config.digest;
  const { target } = record;
  const records = new Map((await store.list()).map((one) => [one.name, one]));
  for (const name of new Set([record.name, `${repositoryName(reference)}@${target.digest}`, id])) {
    const known = records.get(name);
    const labels = { ...known?.labels, ...imageLabels };
    const isLabelled = known !== undefined && Object.entries(imageLabels).every(([key, value]) => known.labels[key] === value);
    if (known?.target.digest !== target.digest || !isLabelled) await store.put({ name, target, labels });
  }
  flush();
  return id;
}
