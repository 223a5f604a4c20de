import { errorCode, errorMessage, StrakeError } from '../../base/index.ts';
import { Digester } from '../../oci/index.ts';
import { decompress } from './decompress.ts';
import { type AppliedLayer, type ApplyOptions, defaultLayerLimits, type FileSink } from './diff.ts';
import { LayerOperations } from './layer-operations.ts';
import { TarReader } from './tar/reader.ts';

/**
 * Applies a layer to the tree behind `sink` while its bytes stream in, and verifies its diff id. Errors name the layer: DataLoss (damaged, cut short,
 * another diff id), InvalidArgument (not a layer, hostile names), ResourceExhausted (a limit). What was applied before an error stays: remove the tree.
 */
export async function applyLayer(source: AsyncIterable<Uint8Array>, sink: FileSink, options: ApplyOptions): Promise<AppliedLayer> {
  const limits = { ...defaultLayerLimits, ...options.limits };
  const operations = new LayerOperations(options.whiteouts, limits);
  const reader = new TarReader(operations, limits);
  const digester = new Digester();
  let written = Promise.resolve();
  try {
    for await (const chunk of decompress(source, options.compression)) {
      options.signal?.throwIfAborted();
      digester.update(chunk);
      if (digester.sizeBytes > limits.bytes)
        throw new StrakeError('ResourceExhausted', `more than ${limits.bytes} bytes when decompressed`, { fields: { layer: 'core' } });
      reader.push(chunk);
      // One write ahead: the next chunk is hashed while the session writes this one.
      const before = written;
      written = sink.write(operations.take());
      written.catch(() => undefined);
      await before;
    }
    await written;
    reader.end();
    const diffId = digester.digest();
    if (options.expectedDiffId !== undefined && diffId !== options.expectedDiffId)
      throw new StrakeError('DataLoss', `content has diff id ${diffId}, the image's configuration says ${options.expectedDiffId}`, {
        fields: { layer: 'core' },
      });
    await sink.sync(false);
    return { diffId, sizeBytes: operations.sizeBytes, inodes: operations.inodes, hasRoot: operations.hasRoot };
  } catch (error) {
    throw nameLayer(error, options.name);
  }
}

/** Errors from below say what is wrong; which layer it is in is known here. */
function nameLayer(error: unknown, name: string): unknown {
  if (!(error instanceof StrakeError)) return error;
  return new StrakeError(errorCode(error), `layer ${name}: ${errorMessage(error)}`, { cause: error, fields: { ...error.fields, digest: name } });
}
