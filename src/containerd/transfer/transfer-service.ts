import { transfer } from '../../api/containerd/index.ts';
import { StrakeError } from '../../base/index.ts';
import { type GrpcService, grpcService } from '../../rpc/grpc/index.ts';
import type { OpenCall } from '../call.ts';
import { echo, exportImages, importImages } from './archives.ts';
import { type End, endName, endOf } from './ends.ts';
import { diffLayer, unpackLayer } from './layers.ts';
import { mirror } from './mirror.ts';
import { Progress } from './progress.ts';
import { pull } from './pull.ts';
import { push } from './push.ts';
import { tag } from './tag.ts';
import type { Transfer, TransferMeans } from './transfers.ts';

/** Moves images; what is done follows from the kinds of the two ends. */
export function transferService(open: OpenCall, means: TransferMeans): GrpcService {
  return grpcService(transfer.Transfer, {
    async transfer({ source, destination, options }, context) {
      const call = open(context);
      const name = options?.progressStream ?? '';
      const stream = name === '' ? undefined : means.streams.get(call.stores.namespace, name);
      await using progress = new Progress(stream, call.signal);
      await move({ call, means, progress }, endOf(source), endOf(destination));
      return {};
    },
  });
}

async function move(between: Transfer, source: End, destination: End): Promise<void> {
  if (source.kind === 'registry' && destination.kind === 'store') return await pull(between, source.message, destination.message);
  if (source.kind === 'registry' && destination.kind === 'registry') return await mirror(between, source.message, destination.message);
  if (source.kind === 'store' && destination.kind === 'registry') return await push(between, source.message, destination.message);
  if (source.kind === 'store' && destination.kind === 'export') return await exportImages(between, source.message, destination.message);
  if (source.kind === 'store' && destination.kind === 'store') return await tag(between, source.message, destination.message);
  if (source.kind === 'import' && destination.kind === 'store') return await importImages(between, source.message, destination.message);
  if (source.kind === 'import' && destination.kind === 'export') return await echo(between, source.message, destination.message);
  if (source.kind === 'read-layer' && destination.kind === 'mount') return await unpackLayer(between, source.message, destination.message);
  if (source.kind === 'mount' && destination.kind === 'write-layer') return await diffLayer(between, source.message, destination.message);
  throw new StrakeError('Unimplemented', `unable to transfer from ${endName(source)} to ${endName(destination)}`, { fields: { layer: 'containerd' } });
}
