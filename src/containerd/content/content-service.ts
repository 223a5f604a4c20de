import type { MessageInitShape } from '@bufbuild/protobuf';
import { content } from '../../api/containerd/index.ts';
import { StrakeError } from '../../base/index.ts';
import type { BlobInfo, IngestStatus } from '../../core/index.ts';
import { isDigest } from '../../oci/index.ts';
import { type GrpcService, grpcService } from '../../rpc/grpc/index.ts';
import type { OpenCall } from '../call.ts';
import { inBlocks, readMask, required, timestampOf } from '../messages.ts';
import { writeContent } from './write.ts';

export function contentService(open: OpenCall): GrpcService {
  return grpcService(content.Content, {
    async info({ digest }, context) {
      const { stores } = open(context);
      return { info: toWire(await stores.content.info(checked(digest))) };
    },
    async update({ info, updateMask }, context) {
      const { stores } = open(context);
      const { digest, labels } = required(info, 'info');
      const mask = readMask(updateMask, `content info ${JSON.stringify(checked(digest))}`, ['labels']);
      const named = mask.entries('labels', labels, '');
      let updated = mask.has('labels') ? await stores.content.setLabels(digest, labels) : undefined;
      if (named !== undefined || updated === undefined) updated = await stores.content.mergeLabels(digest, named ?? {});
      return { info: toWire(updated) };
    },
    async *list({ filters }, context) {
      const { stores } = open(context);
      for await (const block of inBlocks(stores.content.walk(filters))) yield { info: block.map(toWire) };
    },
    async delete({ digest }, context) {
      await open(context).stores.content.delete(checked(digest));
      return {};
    },
    async *read({ digest, offset, size }, context) {
      const { stores, signal } = open(context);
      const range = { ...(offset > 0n ? { offset: Number(offset) } : {}), ...(size > 0n ? { length: Number(size) } : {}) };
      let position = 0;
      for await (const data of stores.content.read(checked(digest), { verifies: true, signal, ...range })) {
        // Counted from where the reading begins, as containerd does.
        yield { offset: BigInt(position), data };
        position += data.length;
      }
    },
    async status({ ref }, context) {
      const { stores } = open(context);
      const [status] = await stores.content.ingests([`ref==${JSON.stringify(ref)}`]);
      if (status === undefined)
        throw new StrakeError('NotFound', `could not get status for ref ${JSON.stringify(ref)}: reference ${ref}: not found`, {
          fields: { layer: 'containerd' },
        });
      return { status: toWireStatus(status) };
    },
    async listStatuses({ filters }, context) {
      const { stores } = open(context);
      return { statuses: (await stores.content.ingests(filters)).map(toWireStatus) };
    },
    write: (requests, context) => writeContent(open(context).stores.content, requests),
    async abort({ ref }, context) {
      await open(context).stores.content.abort(ref);
      return {};
    },
  });
}

function checked(digest: string): string {
  if (!isDigest(digest)) throw new StrakeError('InvalidArgument', `${JSON.stringify(digest)} failed validation`, { fields: { layer: 'containerd' } });
  return digest;
}

function toWire({ digest, sizeBytes, createdAt, updatedAt, labels }: BlobInfo): MessageInitShape<typeof content.InfoSchema> {
  return { digest, size: BigInt(sizeBytes), createdAt: timestampOf(createdAt), updatedAt: timestampOf(updatedAt), labels: { ...labels } };
}

function toWireStatus({ ref, offsetBytes, totalBytes, expected, startedAt, updatedAt }: IngestStatus): MessageInitShape<typeof content.StatusSchema> {
  return {
    ref,
    offset: BigInt(offsetBytes),
    total: BigInt(totalBytes ?? 0),
    expected: expected ?? '',
    startedAt: timestampOf(startedAt),
    updatedAt: timestampOf(updatedAt),
  };
}
