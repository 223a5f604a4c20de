import path from 'node:path';
import type { ComponentVersion } from '../api/docker/index.ts';
import { errorCode, errorMessage, type Logger, readIdentity } from '../base/index.ts';
import type { Comparer, EngineStores, HostMounts } from '../core/index.ts';
import type { RootFiles, TaskManager } from '../core/tasks/index.ts';
import type { InspectRemote, ProxySettings, PullImage, PushImage, SearchRepositories } from '../distribution/index.ts';
import type { NetworkManager } from '../network/index.ts';
import type { Host } from '../rpc/listen/index.ts';
import type { ContainerNetworks } from './containers/context.ts';
import type { CommitResult, CommitSource, Runtimes } from './containers/index.ts';
import { createEngineEvents, type EngineEvents } from './events/index.ts';
import {
  commitImage,
  createBuiltinImages,
  createdSeconds,
  deleteImage,
  diffImages,
  download,
  filterImages,
  history,
  ImageMounts,
  Images,
  type ImageUser,
  type ImageWork,
  imageTree,
  importRoot,
  inspect,
  labels,
  layerUsers,
  loadImages,
  parseUntil,
  pruneImages,
  pullImage,
  pushImage,
  rollBack,
  saveImages,
  sharedSizeBytes,
  summarize,
} from './images/index.ts';
import { createContainerNetworks, type NetworkMember, Networks } from './networks/index.ts';
import { type CommitBackend, commitRoutes } from './router/commit/index.ts';
import { distributionRoutes } from './router/distribution/index.ts';
import { imageMountRoutes } from './router/image-mounts/index.ts';
import { type ImagesBackend, imageRoutes } from './router/images/index.ts';
import { type NetworksBackend, networkRoutes } from './router/networks/index.ts';
import { type Credentials, type SystemBackend, systemRoutes } from './router/system/index.ts';
import { versionRoutes } from './router/versions/index.ts';
import { volumeRoutes } from './router/volumes/index.ts';
import { type ApiServer, hasLabel, type Route, startApiServer } from './server/index.ts';
import { storageDriver } from './storage-driver.ts';
import { type ContainerCounts, System } from './system/index.ts';
import { Volumes } from './volumes/index.ts';

/** What the Engine stands on. Only the composition roots choose the implementations. */
export interface EngineOptions {
  readonly paths: { readonly dataRoot: string; readonly execRoot: string /** `strake-hello`, the built-in image's program */; readonly helloProgram: string };
  readonly core: EngineStores & { readonly tasks: TaskManager; readonly rootFiles: RootFiles; readonly hostMounts: HostMounts };
  readonly registry: {
    readonly pull: PullImage;
    readonly push: PushImage;
    readonly inspect: InspectRemote;
    readonly search: SearchRepositories;
    /** Unauthenticated when the registry does not take them. */
    login(credentials: Credentials, signal: AbortSignal): Promise<{ readonly identityToken: string }>;
  };
  readonly networks: NetworkManager;
  readonly runtimes: Runtimes;
  readonly log: Logger;
  readonly productVersion: string;
  readonly components?: readonly ComponentVersion[];
  readonly debug?: boolean;
  readonly labels?: readonly string[];
  readonly insecureRegistries?: readonly string[];
  readonly registryMirrors?: readonly string[];
  /** Between the machine and the registries, for `docker info`. */
  readonly proxies?: ProxySettings;
}

/** What the containers are given by the Engine's other parts. */
export interface EngineParts {
  readonly events: EngineEvents;
  readonly images: Images;
  readonly volumes: Volumes;
  readonly networks: ContainerNetworks;
}

/** The Engine's containers, as its other parts see them. */
export interface ContainersPart {
  readonly routes: readonly Route[];
  counts(): ContainerCounts;
  /** `GET /containers/json?all=1&size=1` */
  summaries(): Promise<readonly unknown[]>;
  imageUsers(imageId: string): readonly ImageUser[];
  /** Has `make` read a container that does not run meanwhile, and tells of the image that it made. */
  commit(reference: string, options: { readonly pause: boolean }, make: (source: CommitSource) => Promise<CommitResult>): Promise<CommitResult>;
  /** Running containers and the networks that they are in. */
  networkMembers(): Promise<readonly NetworkMember[]>;
  /** `POST /networks/ID/connect` and `disconnect`; the network is named by its name. */
  connectNetwork: NetworksBackend['connect'];
  disconnectNetwork: NetworksBackend['disconnect'];
  /** Finds again what ran before this start of the daemon. */
  recover(): Promise<void>;
}

export interface Engine {
  readonly routes: readonly Route[];
  readonly productVersion: string;
  readonly log: Logger;
  readonly parts: EngineParts;
  /** Once, before it is served. */
  recover(): Promise<void>;
}

export async function assembleEngine(options: EngineOptions, createContainers: (parts: EngineParts) => Promise<ContainersPart>): Promise<Engine> {
  const { paths, core, registry, log, productVersion } = options;
  const events = createEngineEvents(core.events);
  const volumes = await Volumes.open({ directory: path.join(paths.dataRoot, 'volumes'), events });
  const images = new Images({
    content: core.content,
    store: core.images,
    snapshots: core.snapshots,
    events,
    builtins: createBuiltinImages(core, paths.helloProgram),
    leases: core.leases,
    collectGarbage: core.collectGarbage,
    flush: () => core.flush(),
    log,
  });
  const imageMounts = new ImageMounts({ images, snapshots: core.snapshots, mounts: core.hostMounts, directory: path.join(paths.execRoot, 'images') });
  const work = { images, unpacker: core.unpacker, leases: core.leases, comparer: core.comparer, layerLimits: core.layerLimits };
  const parts = { events, images, volumes, networks: createContainerNetworks(options.networks) };
  const containers = await createContainers(parts);
  const engineId = readIdentity(path.join(paths.dataRoot, 'engine-id'));
  const networks = new Networks({ manager: options.networks, members: async () => await containers.networkMembers(), events, engineId, startedAt: new Date() });
  const system = new System({
    engineId,
    productVersion,
    dataRoot: paths.dataRoot,
    storageDriver: storageDriver(core.snapshots),
    debug: options.debug ?? false,
    labels: options.labels ?? [],
    insecureRegistries: options.insecureRegistries ?? [],
    registryMirrors: options.registryMirrors ?? [],
    proxies: options.proxies ?? {},
    runtimes: options.runtimes,
    components: options.components ?? [],
    counts: { containers: () => containers.counts(), images: async () => (await images.list()).length, eventListeners: () => events.listeners },
  });
  const routes = [
    ...systemRoutes(systemBackend(system, parts, containers, options)),
    ...containers.routes,
    ...imageRoutes(imagesBackend(work, registry, containers)),
    ...imageMountRoutes(imageMounts),
    ...distributionRoutes({ inspect: async (options) => await registry.inspect(options) }),
    ...commitRoutes(commitBackend(work, containers)),
    ...networkRoutes(networksBackend(networks, containers)),
    ...volumeRoutes(volumes),
    ...versionRoutes({
      tree: async (name) => await imageTree(images, name),
      diff: (from, to, signal) => diffImages(images, core.comparer, from, to, signal),
      rollBack: async (name, version) => await rollBack(images, name, version),
    }),
  ];
  const recover = async () => {
    await core.restore();
    await containers.recover();
    await options.networks.retain(new Set((await containers.networkMembers()).map(({ containerId }) => containerId)));
    await imageMounts.recover();
    await removeLeftovers(core, log);
  };
  return { routes, productVersion, log, parts, recover };
}

/** What a daemon that was killed had begun: content without an image, snapshots without a container, files without a snapshot. Nothing runs yet that could need them. */
async function removeLeftovers(core: EngineOptions['core'], log: Logger): Promise<void> {
  try {
    const { blobs, snapshots } = await core.collectGarbage({ activeSnapshots: true });
    await core.snapshots.cleanup();
    if (blobs.length + snapshots.length > 0) log.info('removed what an earlier daemon left', { blobs: blobs.length, snapshots: snapshots.length });
  } catch (error) {
    // Leftovers cost room, not correctness: the daemon starts all the same.
    log.warn(`cannot remove leftovers: ${errorMessage(error)}`, { code: errorCode(error) });
  }
}

/** Listens on every host. */
export async function serveEngine(engine: Engine, options: { readonly hosts: readonly Host[] }): Promise<ApiServer> {
  return await startApiServer({ routes: engine.routes, hosts: options.hosts, productVersion: engine.productVersion, log: engine.log });
}

function imagesBackend(work: ImageWork, registry: EngineOptions['registry'], containers: ContainersPart): ImagesBackend {
  const { images } = work;
  const users = (imageId: string) => containers.imageUsers(imageId);
  const summaries: ImagesBackend['list'] = async (filters, { sharedSize }) => {
    const here = await images.list();
    const wanted = await filterImages(images, here, filters, new Date());
    const sharers = layerUsers(here);
    const all = await Promise.all(
      wanted.map(async (image) => ({
        ...(await summarize(images, image, users(image.id).length)),
        ...(sharedSize ? { SharedSize: await sharedSizeBytes(images, image, sharers) } : {}),
      })),
    );
    return all.toSorted((a, b) => b.Created - a.Created);
  };
  return {
    list: summaries,
    inspect: async (name) => await inspect(images, await images.get(name)),
    history: async (name) => await history(images, await images.get(name)),
    pull: (reference, options) => pullImage(images, registry.pull, reference, options),
    push: (reference, options) => pushImage(work, registry.push, reference, options),
    search: async (options) => await registry.search(options),
    save: async (names, options) => await saveImages(images, names, options),
    load: (archive, options) => loadImages(work, archive, options),
    import: (archive, options) => importRoot(work, archive ?? download(options.from, options.signal), options),
    tag: async (name, reference) => await images.tag(await images.get(name), reference),
    delete: async (name, { force }) => await deleteImage(images, name, { force, users }),
    prune: async (filters) => {
      filters.accept('dangling', 'label', 'label!', 'until');
      const until = Math.min(...filters.get('until').map((text) => parseUntil(text, new Date())));
      const wanted: Parameters<typeof pruneImages>[1]['wanted'] = (image) =>
        createdSeconds(image.config) <= until && filters.labels(labels(image)) && !filters.get('label!').some((label) => hasLabel(labels(image), label));
      return await pruneImages(images, { danglingOnly: filters.flag('dangling') ?? true, wanted, users });
    },
  };
}

function commitBackend(work: ImageWork & { readonly comparer: Comparer }, containers: ContainersPart): CommitBackend {
  return {
    async commit(container, { pause, ...options }) {
      const { imageId } = await containers.commit(container, { pause }, async (source) => ({
        ...(await commitImage(work, source, options)),
        comment: options.comment,
      }));
      return imageId;
    },
  };
}

function networksBackend(networks: Networks, containers: ContainersPart): NetworksBackend {
  return {
    list: async () => await networks.list(),
    get: async (network) => await networks.get(network),
    create: async (network) => await networks.create(network),
    remove: async (network) => await networks.remove(network),
    connect: async (network, container, endpoint) => await containers.connectNetwork((await networks.get(network)).Name, container, endpoint),
    disconnect: async (network, container, options) => await containers.disconnectNetwork((await networks.get(network)).Name, container, options),
  };
}

function systemBackend(system: System, { events, images, volumes }: EngineParts, containers: ContainersPart, { registry }: EngineOptions): SystemBackend {
  return {
    version: () => system.version(),
    info: async () => await system.info(),
    events: (window) => events.subscribe(window),
    login: async (credentials, signal) => await registry.login(credentials, signal),
    async diskUsage() {
      const all = await images.list();
      const users = layerUsers(all);
      const sizes = await Promise.all([...users.keys()].map(async (chainId) => await images.layerSizeBytes(chainId)));
      return {
        layersSizeBytes: sizes.reduce((sum, size) => sum + size, 0),
        images: await Promise.all(
          all.map(async (image) => ({
            ...(await summarize(images, image, containers.imageUsers(image.id).length)),
            SharedSize: await sharedSizeBytes(images, image, users),
          })),
        ),
        containers: await containers.summaries(),
        volumes: await Promise.all(
          volumes
            .list()
            .map(async (volume) => ({ ...volume, UsageData: { Size: await volumes.sizeBytes(volume.Name), RefCount: volumes.usersOf(volume.Name).length } })),
        ),
      };
    },
  };
}
