import type { MessageInitShape } from '@bufbuild/protobuf';
import { criImages } from '../../api/cri/index.ts';
import { isCode, portions, StrakeError } from '../../base/index.ts';
import type { CollectGarbage, ImageStore } from '../../core/index.ts';
import type { PullImage } from '../../distribution/index.ts';
import { parseReference, storeName } from '../../oci/index.ts';
import { type GrpcService, grpcService } from '../../rpc/grpc/index.ts';
import { pullCredentials } from './credentials.ts';
import { type CriImage, imageUser } from './image.ts';
import type { Images } from './images.ts';
import { pullImage } from './pull.ts';
import type { SnapshotUsages } from './usage.ts';

export interface ImageServiceOptions {
  readonly images: Images;
  readonly store: ImageStore;
  readonly pull: PullImage;
  readonly usages: Pick<SnapshotUsages, 'total'>;
  /** A directory on the file system of the snapshots, by which the kubelet knows that. */
  readonly fileSystemPath: string;
  readonly collectGarbage: CollectGarbage;
  readonly flush: () => void;
}

/** So many images are told in one message of a stream. */
const imagesPerMessage = 64;

export function imageService(options: ImageServiceOptions): GrpcService {
  const { images, store, collectGarbage } = options;
  const chosen = async ({ filter }: { readonly filter?: criImages.ImageFilter | undefined }) => {
    const wanted = filter?.image?.image ?? '';
    const all = await images.list();
    return (wanted === '' ? all : await matching(images, all, wanted)).map(toWire);
  };
  return grpcService(criImages.ImageService, {
    async listImages(request) {
      return { images: await chosen(request) };
    },
    async *streamImages(request) {
      const all = await chosen(request);
      for (const some of portions(all, imagesPerMessage)) yield { images: some };
    },
    async imageStatus({ image, verbose }) {
      const found = await images.find(named(image));
      if (found === undefined) return {};
      return { image: toWire(found), info: verbose ? { info: JSON.stringify({ chainID: found.chainId ?? '', imageSpec: found.config }) } : {} };
    },
    async pullImage({ image, auth }, { signal }) {
      const reference = parseReference(named(image));
      return { imageRef: await pullImage(options, { reference, credentials: pullCredentials(auth, reference), signal }) };
    },
    async removeImage({ image }) {
      const names = await images.namesOf(named(image));
      if (names.length === 0) return {};
      for (const name of names)
        await store.delete(name).catch((error: unknown) => {
          // Who else removes it at the same time has what they asked for, too.
          if (!isCode(error, 'NotFound')) throw error;
        });
      await collectGarbage();
      return {};
    },
    async imageFsInfo() {
      const { sizeBytes, inodes, at } = await options.usages.total();
      const usage = {
        timestamp: BigInt(at) * 1_000_000n,
        fsId: { mountpoint: options.fileSystemPath },
        usedBytes: { value: BigInt(sizeBytes) },
        inodesUsed: { value: BigInt(inodes) },
      };
      // Containers write on the same file system: the interface has that said by silence.
      return { imageFilesystems: [usage] };
    },
  });
}

/** By name, id, the beginning of one, or repository: all tags of that. */
async function matching(images: Images, all: readonly CriImage[], wanted: string): Promise<readonly CriImage[]> {
  const repository = repositoryPrefix(wanted);
  const inRepository = repository === undefined ? [] : all.filter(({ repoTags }) => repoTags.some((tag) => tag.startsWith(repository)));
  if (inRepository.length > 0) return inRepository;
  const found = await images.find(wanted);
  return found === undefined ? [] : [found];
}

/** `docker.io/library/busybox:` of `busybox`; undefined for what names a tag, a digest or no repository. */
function repositoryPrefix(text: string): string | undefined {
  try {
    const reference = parseReference(text);
    return reference.tag === undefined && reference.digest === undefined ? storeName(reference).replace(/latest$/, '') : undefined;
  } catch {
    return undefined;
  }
}

function named(image: criImages.ImageStatusRequest['image']): string {
  if (image === undefined || image.image === '') throw new StrakeError('InvalidArgument', 'no image is named', { fields: { layer: 'cri' } });
  return image.image;
}

function toWire({ id, repoTags, repoDigests, sizeBytes, pinned, config }: CriImage): MessageInitShape<typeof criImages.ImageSchema> {
  const { uid, username } = imageUser(config.config?.User);
  return {
    id,
    repoTags: [...repoTags],
    repoDigests: [...repoDigests],
    size: BigInt(sizeBytes),
    ...(uid === undefined ? {} : { uid: { value: uid } }),
    username,
    pinned,
  };
}
