import { content } from '../../api/containerd/index.ts';
import { StrakeError } from '../../base/index.ts';
import { Digester, parseDigest } from '../../oci/index.ts';
import type { GrpcConnection } from '../../rpc/grpc/index.ts';
import { answered, dateOf, entryPaths } from '../wire/messages.ts';
import type { BlobInfo, ContentStore, IngestStatus, ReadOptions } from './content.ts';
import { pastEnd } from './past-end.ts';
import { RemoteWriter } from './remote-writer.ts';

const maxRefBytes = 512;

/** Content of another process, in the namespace of the connection. Damaged blobs are found as they are read; it is for the other process to set them aside. */
export function createRemoteContentStore(connection: GrpcConnection): ContentStore {
  const client = connection.client(content.Content);
  const info = async (digest: string) => {
    parseDigest(digest);
    return toInfo((await client.info({ digest })).info);
  };
  const abort = async (ref: string) => {
    await client.abort({ ref });
  };
  const update = async (digest: string, labels: Readonly<Record<string, string>>, paths: string[]) =>
    toInfo((await client.update({ info: { digest, labels: { ...labels } }, updateMask: { paths } })).info);
  async function* read(digest: string, { offset = 0, length, verifies = length === undefined, signal }: ReadOptions = {}) {
    const { sizeBytes } = await info(digest);
    if (offset > sizeBytes) throw pastEnd(digest, sizeBytes);
    const end = Math.min(sizeBytes, offset + (length ?? sizeBytes));
    if (end === offset) return;
    // No size asks for the rest, whatever that is.
    const request = { digest, offset: BigInt(offset), size: BigInt(end - offset) };
    const digester = verifies && offset === 0 && end === sizeBytes ? new Digester(parseDigest(digest).algorithm) : undefined;
    let left = end - offset;
    for await (const { data } of client.read(request, signal === undefined ? {} : { signal })) {
      digester?.update(data);
      left -= data.length;
      yield data;
    }
    if (left !== 0) throw dataLoss(digest, `${end - offset - left} of ${end - offset} bytes came`);
    if (digester !== undefined && digester.digest() !== digest) throw dataLoss(digest, 'it does not hash to its name');
  }
  return {
    info,
    read,
    async readAll(digest, limitBytes) {
      const { sizeBytes } = await info(digest);
      if (sizeBytes > limitBytes)
        throw new StrakeError('OutOfRange', `blob ${digest} has ${sizeBytes} bytes, at most ${limitBytes} are read`, { fields: { layer: 'core' } });
      return Buffer.concat(await Array.fromAsync(read(digest)));
    },
    async writer(options) {
      const refBytes = Buffer.byteLength(options.ref);
      if (refBytes === 0 || refBytes > maxRefBytes)
        throw new StrakeError('InvalidArgument', `ingest ref has ${refBytes} bytes, 1 to ${maxRefBytes} are possible`, { fields: { layer: 'core' } });
      return await RemoteWriter.open({ client, info, abort, ...options });
    },
    setLabels: async (digest, labels) => await update(digest, labels, ['labels']),
    mergeLabels: async (digest, labels) => await update(digest, labels, entryPaths('labels', labels)),
    async *walk(filters = []) {
      for await (const block of client.list({ filters: [...filters] })) yield* block.info.map(toInfo);
    },
    delete: async (digest) => {
      parseDigest(digest);
      await client.delete({ digest });
    },
    ingests: async (filters = []) => (await client.listStatuses({ filters: [...filters] })).statuses.map(toStatus).toSorted((a, b) => (a.ref < b.ref ? -1 : 1)),
    abort,
  };
}

function toInfo(message: content.Info | undefined): BlobInfo {
  const { digest, size, createdAt, updatedAt, labels } = answered(message, 'info');
  return { digest, sizeBytes: Number(size), createdAt: dateOf(createdAt), updatedAt: dateOf(updatedAt), labels };
}

function toStatus({ ref, offset, total, expected, startedAt, updatedAt }: content.Status): IngestStatus {
  return {
    ref,
    offsetBytes: Number(offset),
    totalBytes: total === 0n ? undefined : Number(total),
    expected: expected === '' ? undefined : expected,
    startedAt: dateOf(startedAt),
    updatedAt: dateOf(updatedAt),
  };
}

function dataLoss(digest: string, problem: string): StrakeError {
  return new StrakeError('DataLoss', `blob ${digest} is damaged: ${problem}`, { fields: { layer: 'core', digest, remedy: 'pull the image again' } });
}
