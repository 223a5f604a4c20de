import type { MessageInitShape } from '@bufbuild/protobuf';
import { criImages } from '../../api/cri/index.ts';
import type { ImageInspect, ImageSummary } from '../../api/docker/index.ts';
import { isCode, KeyedLock, portions } from '../../base/index.ts';
import type { EngineClient } from '../../docker-client/index.ts';
import { type GrpcService, grpcService } from '../../rpc/grpc/index.ts';
import { refuse } from '../refuse.ts';
import { pullImage } from './pull.ts';

type WireImage = MessageInitShape<typeof criImages.ImageSchema>;

/** So many images are told in one message of a stream. */
const imagesPerMessage = 64;
const noName = '<none>';

/** `pinned`: the name of the image that pods are made with. */
export function imageService(client: EngineClient, pinned: () => string): GrpcService {
  const removals = new KeyedLock();
  const inspect = async (name: string): Promise<ImageInspect | undefined> => {
    try {
      return await client.get<ImageInspect>(`/images/${name}/json`);
    } catch (error) {
      if (isCode(error, 'NotFound') || isCode(error, 'InvalidArgument')) return undefined;
      throw error;
    }
  };
  const wire = (image: Pick<ImageInspect, 'Id' | 'RepoTags' | 'RepoDigests' | 'Size'>): WireImage => ({
    id: image.Id,
    repoTags: named(image.RepoTags),
    repoDigests: named(image.RepoDigests),
    size: BigInt(image.Size),
    pinned: (image.RepoTags ?? []).includes(pinned()),
  });
  const list = async (filter: criImages.ImageFilter | undefined): Promise<readonly WireImage[]> => {
    const reference = filter?.image?.image ?? '';
    const all = await client.get<readonly ImageSummary[]>('/images/json', { query: { digests: true } });
    if (reference === '') return all.map(wire);
    const found = await inspect(reference);
    return all.filter(({ Id, RepoTags }) => Id === found?.Id || named(RepoTags).some((tag) => tag.startsWith(`${reference}:`))).map(wire);
  };
  return grpcService(criImages.ImageService, {
    listImages: async ({ filter }) => ({ images: [...(await list(filter))] }),
    async *streamImages({ filter }) {
      const all = await list(filter);
      for (const some of portions(all, imagesPerMessage)) yield { images: some };
    },
    async imageStatus({ image, verbose }) {
      const found = await inspect(required(image));
      if (found === undefined) return {};
      return { image: { ...wire(found), ...userOf(found) }, ...(verbose ? { info: { info: JSON.stringify({ imageSpec: found }) } } : {}) };
    },
    async pullImage({ image, auth }, { signal }) {
      await pullImage(client, required(image), auth, signal);
      const found = await inspect(required(image));
      if (found === undefined) throw refuse('NotFound', `image ${required(image)} is gone again`);
      return { imageRef: found.Id };
    },
    async removeImage({ image }, { signal }) {
      // Who else removes it at the same time finds it gone when the first is done.
      using _lock = await removals.take(required(image), signal);
      const found = await inspect(required(image));
      if (found === undefined) return {};
      const names = [...named(found.RepoTags), ...named(found.RepoDigests)];
      for (const name of names.length > 0 ? names : [found.Id])
        await client.delete(`/images/${name}`).catch((error: unknown) => {
          // The last tag takes the digests with it.
          if (!isCode(error, 'NotFound')) throw error;
        });
      return {};
    },
    async imageFsInfo() {
      const [{ DockerRootDir }, { LayersSize = 0 }] = await Promise.all([
        client.get<{ readonly DockerRootDir: string }>('/info'),
        client.get<{ readonly LayersSize?: number }>('/system/df', { query: { type: 'image' } }),
      ]);
      const usage = {
        timestamp: BigInt(Date.now()) * 1_000_000n,
        fsId: { mountpoint: DockerRootDir },
        usedBytes: { value: BigInt(LayersSize) },
        inodesUsed: { value: 0n },
      };
      return { imageFilesystems: [usage] };
    },
  });
}

function required(image: criImages.ImageStatusRequest['image']): string {
  if (image === undefined || image.image === '') throw refuse('InvalidArgument', 'no image is named');
  return image.image;
}

function named(names: readonly string[] | null | undefined): string[] {
  return (names ?? []).filter((name) => !name.includes(noName));
}

function userOf({ Config }: ImageInspect): { readonly uid?: { readonly value: bigint }; readonly username?: string } {
  const [name = ''] = String(Config?.['User'] ?? '').split(':');
  return /^\d{1,18}$/.test(name) ? { uid: { value: BigInt(name) } } : { username: name };
}
