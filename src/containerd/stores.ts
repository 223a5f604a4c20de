import type { LocalCore, OpenFileTree } from '../core/index.ts';
import { createTreeFetcher, type RegistrySettings } from '../distribution/index.ts';
import type { GrpcService } from '../rpc/grpc/index.ts';
import { callsOver } from './call.ts';
import { containersService } from './containers/containers-service.ts';
import { contentService } from './content/content-service.ts';
import { diffService } from './diff/diff-service.ts';
import { eventsService } from './events/events-service.ts';
import { imagesService } from './images/images-service.ts';
import { leasesService } from './leases/leases-service.ts';
import { sandboxStoreService } from './sandbox/store-service.ts';
import { snapshotsService } from './snapshots/snapshots-service.ts';
import { streamingService } from './streaming/streaming-service.ts';
import { Streams } from './streaming/streams.ts';
import { transferService } from './transfer/transfer-service.ts';

export interface StoreServicesOptions {
  readonly core: Pick<LocalCore, 'inNamespace' | 'exchange' | 'comparer' | 'layerLimits' | 'collectGarbage' | 'flush'>;
  readonly openFileTree: OpenFileTree;
  /** How registries are spoken to where the client does not say. */
  readonly registry?: RegistrySettings | undefined;
  /** Blobs that are fetched at once, of all transfers, and that are sent at once, of one. */
  readonly downloads?: number | undefined;
  readonly uploads?: number | undefined;
}

/** containerd's services of what is stored, and of what moves it. */
export function storeServices({ core, openFileTree, registry = {}, downloads, uploads }: StoreServicesOptions): readonly GrpcService[] {
  const open = callsOver((namespace) => core.inNamespace(namespace));
  const { comparer, layerLimits, collectGarbage, flush } = core;
  const streams = new Streams();
  return [
    containersService(open),
    contentService(open),
    diffService(open, { openFileTree, comparer, layerLimits }),
    eventsService(core.exchange),
    imagesService(open, collectGarbage),
    leasesService(open, collectGarbage),
    sandboxStoreService(open),
    snapshotsService(open),
    streamingService(streams),
    transferService(open, { streams, openFileTree, comparer, layerLimits, flush, registry, fetchTree: createTreeFetcher({ downloads }), uploads }),
  ];
}
