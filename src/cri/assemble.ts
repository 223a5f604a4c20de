import { AccountReader, type NamespacedCore } from '../core/index.ts';
import type { RootFiles } from '../core/tasks/index.ts';
import type { PullImage } from '../distribution/index.ts';
import type { PortDialer } from '../network/index.ts';
import type { GrpcService } from '../rpc/grpc/index.ts';
import { startStreamingServer } from '../streaming/index.ts';
import { ContainerEvents } from './container-events.ts';
import type { CriContext } from './context.ts';
import { type AskShim, HandlerFeatures } from './handler-features.ts';
import { type RuntimeHandler, RuntimeHandlers } from './handlers.ts';
import { type ImageServiceOptions, Images, imageService, SnapshotUsages } from './images/index.ts';
import { recoverPods } from './recover.ts';
import { PodRegistry } from './registry.ts';
import { runtimeService } from './service/runtime-service.ts';
import type { MeterOptions } from './stats/index.ts';
import { streamingBackend } from './streams.ts';

type Given = Pick<
  CriContext,
  'tasks' | 'namespaces' | 'network' | 'hostMounts' | 'openFileTree' | 'comparer' | 'security' | 'cgroups' | 'paths' | 'pauseProgram' | 'version' | 'log'
>;

export interface CriOptions extends Given, Pick<MeterOptions, 'readCgroup' | 'readInterfaces'> {
  /** Of one namespace. */
  readonly stores: CriContext['core'] & Pick<NamespacedCore, 'content' | 'images'> & Pick<ImageServiceOptions, 'collectGarbage' | 'flush'>;
  readonly pull: PullImage;
  readonly rootFiles: RootFiles;
  readonly handlers: readonly RuntimeHandler[];
  readonly askShim: AskShim;
  readonly ports: PortDialer;
  /** Names of images that the kubelet is not to collect. */
  readonly pinned: readonly string[];
  /** Where exec, attach and port-forward are served. */
  readonly streams: { readonly address: string; readonly port: number };
}

export interface Cri {
  readonly services: readonly GrpcService[];
  /** Pods and containers go on. */
  close(): Promise<void>;
}

/** The services over these, once everything of an earlier run is found again. */
export async function assembleCri({
  stores,
  pull,
  rootFiles,
  handlers,
  askShim,
  pinned,
  streams,
  ports,
  readCgroup,
  readInterfaces,
  ...given
}: CriOptions): Promise<Cri> {
  const images = new Images({ content: stores.content, store: stores.images, pinned });
  const context: CriContext = {
    ...given,
    core: stores,
    images,
    accounts: new AccountReader(rootFiles),
    handlers: new RuntimeHandlers(handlers),
    handlerFeatures: new HandlerFeatures({ askShim, log: given.log }),
    registry: new PodRegistry(),
    events: new ContainerEvents(),
  };
  await recoverPods(context);
  const server = await startStreamingServer({
    ...streams,
    backend: streamingBackend(context, ports),
    log: given.log,
  });
  const usages = new SnapshotUsages(stores.snapshots);
  const { collectGarbage, flush } = stores;
  const fileSystemPath = given.paths.root;
  return {
    services: [
      runtimeService(context, server, { usages, fileSystemPath, readCgroup, readInterfaces }),
      imageService({ images, store: stores.images, pull, usages, fileSystemPath, collectGarbage, flush }),
    ],
    close: async () => await server.close(),
  };
}
