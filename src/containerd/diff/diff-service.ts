import { diff } from '../../api/containerd/index.ts';
import { StrakeError } from '../../base/index.ts';
import { applyLayer, type Comparer, type LayerLimits, type OpenFileTree } from '../../core/index.ts';
import { applyTarget, fromWireMounts, toWireDescriptor } from '../../core/wire/index.ts';
import { layerCompression, mediaTypes } from '../../oci/index.ts';
import { type GrpcService, grpcService } from '../../rpc/grpc/index.ts';
import type { OpenCall } from '../call.ts';
import { fromWireDescriptor } from '../messages.ts';
import { storeDifference } from './store-difference.ts';

export interface DiffMeans {
  readonly openFileTree: OpenFileTree;
  readonly comparer: Comparer;
  readonly layerLimits: LayerLimits;
}

/** Layers to and from mounts of snapshots. */
export function diffService(open: OpenCall, { openFileTree, comparer, layerLimits }: DiffMeans): GrpcService {
  return grpcService(diff.Diff, {
    async apply({ diff: descriptor, mounts, syncFs }, context) {
      const { stores, signal } = open(context);
      const { digest, mediaType } = fromWireDescriptor(descriptor);
      const compression = layerCompression(mediaType);
      if (compression === undefined)
        throw new StrakeError('Unimplemented', `failed to get stream processor for ${mediaType}`, { fields: { layer: 'containerd', digest } });
      const { dir, whiteouts } = applyTarget(fromWireMounts(mounts));
      await using tree = await openFileTree(dir, { signal });
      const source = stores.content.read(digest, { signal });
      const { diffId, archiveBytes } = await applyLayer(source, tree, { name: digest, compression, whiteouts, signal, limits: layerLimits });
      if (syncFs) await tree.sync(true);
      return { applied: toWireDescriptor({ mediaType: mediaTypes.ociLayer, digest: diffId, size: archiveBytes }) };
    },
    async diff({ left, right, mediaType, ref, labels, sourceDateEpoch }, context) {
      const { stores, signal } = open(context);
      const upper = fromWireMounts(right);
      if (upper === undefined) throw new StrakeError('InvalidArgument', 'right has no mounts', { fields: { layer: 'containerd' } });
      const latestNs = sourceDateEpoch === undefined ? undefined : sourceDateEpoch.seconds * 1_000_000_000n + BigInt(sourceDateEpoch.nanos);
      const layer = comparer.layer(fromWireMounts(left), upper, { signal, latestNs });
      return { diff: toWireDescriptor(await storeDifference(stores.content, layer, { mediaType: mediaType || mediaTypes.ociLayerGzip, ref, labels })) };
    },
  });
}
