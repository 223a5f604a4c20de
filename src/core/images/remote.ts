import { images } from '../../api/containerd/index.ts';
import { isCode } from '../../base/index.ts';
import type { Descriptor } from '../../oci/index.ts';
import type { GrpcConnection } from '../../rpc/grpc/index.ts';
import { answered, dateOf, entryPaths, fromWireDescriptor, toWireDescriptor } from '../wire/messages.ts';
import { checkImageName } from './check-image-name.ts';
import type { ImageRecord, ImageStore } from './images.ts';

/** Images of another process, in the namespace of the connection. */
export function createRemoteImageStore(connection: GrpcConnection): ImageStore {
  const client = connection.client(images.Images);
  const create: ImageStore['create'] = async (image) => {
    checkImageName(image.name);
    return toRecord((await client.create({ image: toMessage(image) })).image);
  };
  return {
    get: async (name) => toRecord((await client.get({ name })).image),
    list: async (filters = []) => (await client.list({ filters: [...filters] })).images.map(toRecord).toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    create,
    // Others may make it or take it away in between: as often as they do.
    async put(image) {
      checkImageName(image.name);
      for (;;) {
        try {
          return toRecord((await client.update({ image: toMessage(image) })).image);
        } catch (error) {
          if (!isCode(error, 'NotFound')) throw error;
        }
        try {
          return await create(image);
        } catch (error) {
          if (!isCode(error, 'AlreadyExists')) throw error;
        }
      }
    },
    async update(name, { target, labels, annotations, mergeLabels, mergeAnnotations }) {
      const paths = [
        ...(target === undefined ? [] : ['target']),
        ...(labels === undefined ? [] : ['labels']),
        ...(annotations === undefined ? [] : ['annotations']),
        ...entryPaths('labels', mergeLabels),
        ...entryPaths('annotations', mergeAnnotations),
      ];
      if (paths.length === 0) return await this.get(name);
      const shown = target ?? (await this.get(name)).target;
      const message = toMessage({
        name,
        target: { ...shown, annotations: { ...(annotations ?? shown.annotations), ...mergeAnnotations } },
        labels: { ...labels, ...mergeLabels },
      });
      return toRecord((await client.update({ image: message, updateMask: { paths } })).image);
    },
    delete: async (name, { target } = {}) => {
      await client.delete({ name, ...(target === undefined ? {} : { target: { digest: target } }) });
    },
  };
}

function toMessage({ name, target, labels }: { readonly name: string; readonly target: Descriptor; readonly labels?: Readonly<Record<string, string>> }) {
  return { name, labels: { ...labels }, target: toWireDescriptor(target) };
}

function toRecord(message: images.Image | undefined): ImageRecord {
  const { name, target, labels, createdAt, updatedAt } = answered(message, 'image');
  return { name, target: fromWireDescriptor(answered(target, 'target')), labels, createdAt: dateOf(createdAt), updatedAt: dateOf(updatedAt) };
}
