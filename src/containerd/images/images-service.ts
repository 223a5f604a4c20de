import type { MessageInitShape } from '@bufbuild/protobuf';
import { images } from '../../api/containerd/index.ts';
import { StrakeError } from '../../base/index.ts';
import type { CollectGarbage, ImageRecord } from '../../core/index.ts';
import { toWireDescriptor } from '../../core/wire/index.ts';
import { type Descriptor, isDigest } from '../../oci/index.ts';
import { type GrpcService, grpcService } from '../../rpc/grpc/index.ts';
import type { OpenCall } from '../call.ts';
import { fromWireDescriptor, readMask, required, timestampOf } from '../messages.ts';

export function imagesService(open: OpenCall, collectGarbage: CollectGarbage): GrpcService {
  return grpcService(images.Images, {
    async get({ name }, context) {
      return { image: toWire(await open(context).stores.images.get(name)) };
    },
    async list({ filters }, context) {
      return { images: (await open(context).stores.images.list(filters)).map(toWire) };
    },
    async create({ image }, context) {
      const { name, labels, target } = named(image);
      return { image: toWire(await open(context).stores.images.create({ name, target: checkedTarget(fromWireDescriptor(target)), labels })) };
    },
    async update({ image, updateMask }, context) {
      const { name, labels, target } = named(image);
      const mask = readMask(updateMask, `image ${JSON.stringify(name)}`, ['labels', 'target'], ['labels', 'annotations']);
      const annotations = target?.annotations ?? {};
      const mergeLabels = mask.entries('labels', labels, '');
      const mergeAnnotations = mask.entries('annotations', annotations, '');
      const updated = await open(context).stores.images.update(name, {
        ...(mask.has('target') ? { target: checkedTarget(fromWireDescriptor(target)) } : {}),
        ...(mask.has('labels') ? { labels } : {}),
        ...(mask.has('annotations') ? { annotations } : {}),
        ...(mergeLabels === undefined ? {} : { mergeLabels }),
        ...(mergeAnnotations === undefined ? {} : { mergeAnnotations }),
      });
      return { image: toWire(updated) };
    },
    async delete({ name, sync, target }, context) {
      await open(context).stores.images.delete(name, target === undefined || target.digest === '' ? {} : { target: target.digest });
      if (sync) await collectGarbage();
      return {};
    },
  });
}

function named(image: images.Image | undefined): images.Image {
  const given = required(image, 'image');
  if (given.name === '') throw invalid('Image.Name required');
  return given;
}

function checkedTarget(target: Descriptor): Descriptor {
  if (!isDigest(target.digest)) throw invalid(`Target.Digest ${JSON.stringify(target.digest)} invalid: invalid checksum digest format`);
  if (target.size <= 0) throw invalid('Target.Size must be greater than zero');
  if (target.mediaType === '') throw invalid('Target.MediaType must be set');
  return target;
}

function toWire({ name, labels, target, createdAt, updatedAt }: ImageRecord): MessageInitShape<typeof images.ImageSchema> {
  return { name, labels: { ...labels }, target: toWireDescriptor(target), createdAt: timestampOf(createdAt), updatedAt: timestampOf(updatedAt) };
}

function invalid(message: string): StrakeError {
  return new StrakeError('InvalidArgument', message, { fields: { layer: 'containerd' } });
}
