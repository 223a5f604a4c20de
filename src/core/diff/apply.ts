import { type ErrorCode, errorMessage, StrakeError, streamedBytes } from '../../base/index.ts';
import { Digester } from '../../oci/index.ts';
import { decompressWithin } from './decompress-within.ts';
import { type AppliedLayer, type ApplyOptions, defaultLayerLimits, type FileSink } from './diff.ts';
import { LayerOperations } from './layer-operations.ts';
import { sendArchive } from './send-archive.ts';
import { TarReader } from './tar/reader.ts';

/**
 * Applies a layer to the tree behind `sink` while its bytes stream in, and verifies its diff id. Errors name the layer: DataLoss (damaged, cut short,
 * another diff id), InvalidArgument (not a layer, hostile names), ResourceExhausted (a limit). What was applied before an error stays: remove the tree.
 */
export async function applyLayer(source: AsyncIterable<Uint8Array>, sink: FileSink, options: ApplyOptions): Promise<AppliedLayer> {
  const limits = { ...defaultLayerLimits, ...options.limits };
  const operations = new LayerOperations(options.whiteouts, limits);
  const reader = new TarReader(operations, limits);
  const digester = options.knownDiffId === undefined ? new Digester() : undefined;
  try {
    const archive = decompressWithin(source, options.compression, limits);
    let archiveBytes = 0;
    const counted = watched(archive, (chunk) => {
      archiveBytes += chunk.length;
      streamedBytes(chunk.length);
      digester?.update(chunk);
    });
    await sendArchive(counted, sink, { reader, operations, signal: options.signal });
    operations.end();
    await sink.write(operations.take());
    const diffId = options.knownDiffId?.() ?? digester?.digest() ?? '';
    if (options.expectedDiffId !== undefined && diffId !== options.expectedDiffId)
      throw new StrakeError('DataLoss', `content has diff id ${diffId}, the image's configuration says ${options.expectedDiffId}`, {
        fields: { layer: 'core' },
      });
    await sink.sync(false);
    return { diffId, archiveBytes, sizeBytes: operations.sizeBytes, inodes: operations.inodes, hasRoot: operations.hasRoot };
  } catch (error) {
    throw nameLayer(error, options.name);
  }
}

async function* watched(chunks: AsyncIterable<Uint8Array>, look: (chunk: Uint8Array) => void): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    look(chunk);
    yield chunk;
  }
}

/** A file operation that cannot be, such as a link to a file that is not there, is the layer's own fault. */
function layerErrorCode({ code, fields }: StrakeError): ErrorCode {
  const isOfContent = fields.errno !== undefined && (code === 'NotFound' || code === 'AlreadyExists' || code === 'FailedPrecondition');
  return isOfContent || ownFaults.has(fields.errno ?? '') ? 'InvalidArgument' : code;
}

/** Links in a loop, more names of a file or a larger file than the filesystem can have. */
const ownFaults: ReadonlySet<string> = new Set(['ELOOP', 'EMLINK', 'EFBIG']);

/** Errors from below say what is wrong; which layer it is in is known here, unless it is the blob itself that was wrong. */
function nameLayer(error: unknown, name: string): unknown {
  if (!(error instanceof StrakeError) || error.message.includes(name)) return error;
  return new StrakeError(layerErrorCode(error), `layer ${name}: ${errorMessage(error)}`, { cause: error, fields: { ...error.fields, digest: name } });
}
