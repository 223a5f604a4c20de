import { isCode, randomId, StrakeError } from '../../base/index.ts';
import { type ContentStore, compress, findBlob } from '../../core/index.ts';
import { type Descriptor, Digester, layerCompression } from '../../oci/index.ts';

/** The diff id of a packed layer, on its blob. */
const uncompressedLabel = 'containerd.io/uncompressed';

export interface DifferenceOptions {
  readonly mediaType: string;
  /** Names the ingest; what an earlier try left under it is thrown away. */
  readonly ref: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Stores a layer that comes as a plain tar, packed as its media type says. */
export async function storeDifference(
  content: ContentStore,
  layer: AsyncIterable<Uint8Array>,
  { mediaType, ref, labels }: DifferenceOptions,
): Promise<Descriptor> {
  const compression = layerCompression(mediaType);
  if (compression === undefined) throw new StrakeError('Unimplemented', `unsupported diff media type: ${mediaType}`, { fields: { layer: 'containerd' } });
  const name = ref === '' ? `diff-${randomId()}` : ref;
  await using writer = await content.writer({ ref: name });
  if (writer.offsetBytes > 0) await writer.truncate();
  const plain = new Digester();
  const blob = new Digester();
  try {
    const digested = digestedBy(layer, plain);
    for await (const chunk of compression === 'none' ? digested : compress(digested, compression)) {
      blob.update(chunk);
      await writer.write(chunk);
    }
    const digest = blob.digest();
    const all = compression === 'none' ? labels : { ...labels, [uncompressedLabel]: plain.digest() };
    const known = await findBlob(content, digest);
    await writer.commit({ digest, labels: all });
    if (known !== undefined && !Object.hasOwn(known.labels, uncompressedLabel) && Object.hasOwn(all, uncompressedLabel))
      await content.mergeLabels(digest, { [uncompressedLabel]: all[uncompressedLabel] ?? '' });
    return { mediaType, digest, size: blob.sizeBytes };
  } catch (error) {
    await writer.close();
    if (ref === '') await forget(content, name);
    throw error;
  }
}

async function* digestedBy(chunks: AsyncIterable<Uint8Array>, digester: Digester): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    digester.update(chunk);
    yield chunk;
  }
}

/** Nobody else knows its name. */
async function forget(content: ContentStore, ref: string): Promise<void> {
  try {
    await content.abort(ref);
  } catch (error) {
    if (!isCode(error, 'NotFound')) throw error;
  }
}
