/** An image as the CRI has it: what its names stand for, under the digest of its configuration. */
import type { ImageFacts, ImageRecord } from '../../core/index.ts';
import { isDigest, parseReference } from '../../oci/index.ts';

/** containerd's labels of the images that its CRI knows; who looks at ours with its clients finds them. */
export const imageLabels = { 'io.cri-containerd.image': 'managed' } as const;
const pinnedLabel = 'io.cri-containerd.pinned';
const pinnedValue = 'pinned';

export interface CriImage extends ImageFacts {
  /** As the store has them: tags, digests, and the id. */
  readonly names: readonly string[];
  /** `registry.k8s.io/pause:3.10`, sorted. */
  readonly repoTags: readonly string[];
  /** `registry.k8s.io/pause@sha256:…`, sorted. */
  readonly repoDigests: readonly string[];
  /** Not for the kubelet's garbage collection. */
  readonly pinned: boolean;
}

/** `pinned`: names that are kept from garbage collection, beside those that their labels keep. */
export function joinImage(facts: ImageFacts, records: readonly ImageRecord[], pinned: ReadonlySet<string>): CriImage {
  const names = records.map(({ name }) => name).toSorted();
  const references = names.filter(isReference);
  return {
    ...facts,
    names,
    repoTags: references.filter((name) => !name.includes('@')),
    repoDigests: references.filter((name) => name.includes('@')),
    pinned: records.some(({ name, labels }) => pinned.has(name) || labels[pinnedLabel] === pinnedValue),
  };
}

/** The user of an image's configuration: a number where it is one, else a name; the group is not told. */
export function imageUser(user: string | undefined): { readonly uid: bigint | undefined; readonly username: string } {
  const [name = ''] = (user ?? '').split(':');
  return /^\d{1,18}$/.test(name) ? { uid: BigInt(name), username: '' } : { uid: undefined, username: name };
}

/** The id is none, and a name that another client gave need not be one. */
function isReference(name: string): boolean {
  if (isDigest(name)) return false;
  try {
    parseReference(name);
    return true;
  } catch {
    return false;
  }
}
