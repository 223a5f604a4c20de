import type { Mount, ReadStream, WriteStream } from '../../api/containerd/index.ts';
import { StrakeError } from '../../base/index.ts';
import { applyLayer, compress } from '../../core/index.ts';
import { applyTarget, fromWireMounts } from '../../core/wire/index.ts';
import { layerCompression, mediaTypes } from '../../oci/index.ts';
import { receiveBytes, sendBytes } from '../streaming/byte-stream.ts';
import { streamOf, type Transfer } from './transfers.ts';

/** Unpacks a layer that the client sends into a snapshot's mount. */
export async function unpackLayer(transfer: Transfer, { stream, mediaType }: ReadStream, mount: Mount): Promise<void> {
  const { call, means } = transfer;
  const { signal } = call;
  const compression = compressionOf(mediaType);
  const { dir, whiteouts } = applyTarget(fromWireMounts([mount]));
  await using tree = await means.openFileTree(dir, { signal });
  await applyLayer(receiveBytes(streamOf(transfer, stream)), tree, { name: stream, compression, whiteouts, signal, limits: means.layerLimits });
}

/** Sends what a snapshot's mount has over the layers below it. */
export async function diffLayer(transfer: Transfer, mount: Mount, { stream, mediaType }: WriteStream): Promise<void> {
  const { call, means } = transfer;
  const { signal } = call;
  const compression = compressionOf(mediaType);
  const upper = fromWireMounts([mount]);
  if (upper === undefined) return;
  const [top, ...below] = upper.type === 'overlay' ? upper.lowers : [];
  const lower =
    top === undefined
      ? undefined
      : below.length === 0
        ? ({ type: 'bind', source: top, readonly: true } as const)
        : ({ type: 'overlay', lowers: [top, ...below], upper: undefined, work: undefined, readonly: true } as const);
  const layer = means.comparer.layer(lower, upper, { signal });
  await sendBytes(streamOf(transfer, stream), compression === 'none' ? layer : compress(layer, compression));
}

function compressionOf(mediaType: string): 'none' | 'gzip' | 'zstd' {
  const compression = layerCompression(mediaType === '' ? mediaTypes.ociLayer : mediaType);
  if (compression === undefined) throw new StrakeError('Unimplemented', `${mediaType} is not a layer's media type`, { fields: { layer: 'containerd' } });
  return compression;
}
