import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { criContainer, criImages, type criPod, criRuntime } from '../../src/api/cri/index.ts';
import { connectGrpc, type GrpcConnection } from '../../src/rpc/grpc/index.ts';
import { strakeBinary } from './engine.ts';
import type { PeerWorld } from './peer-world.ts';
import type { Running } from './process.ts';
import { until } from './until.ts';
import type { Place, World } from './world.ts';

/** As it is written down, not as it came. */
type Written<T> = Exclude<T, { readonly $typeName: string }>;
export type PodConfig = Written<MessageInitShape<typeof criPod.PodSandboxConfigSchema>>;
export type ContainerConfig = Written<MessageInitShape<typeof criContainer.ContainerConfigSchema>>;

/** Where the daemon runs, and what it is called there. */
interface CriPlace {
  readonly place: Pick<Place, 'spawn'>;
  readonly binary: string;
  readonly flags: readonly string[];
}

/** `strake cri` in a world, and a client of it in the test's process. */
export class Cri implements AsyncDisposable {
  readonly world: World;
  readonly #where: CriPlace;
  #daemon: Running | undefined;
  readonly #connection: GrpcConnection;
  readonly runtime;
  readonly images;
  #names = 0;

  private constructor(world: World, where: CriPlace) {
    this.world = world;
    this.#where = where;
    this.#connection = connectGrpc({ kind: 'unix', path: this.socket });
    this.runtime = this.#connection.client(criRuntime.RuntimeService);
    this.images = this.#connection.client(criImages.ImageService);
  }

  static async start(world: World): Promise<Cri> {
    return await Cri.#start(world, { place: world, binary: strakeBinary, flags: [] });
  }

  /** In the peer root, where the runtimes and plugins are that `flags` name. */
  static async startInPeerRoot(peers: PeerWorld, flags: readonly string[] = []): Promise<Cri> {
    return await Cri.#start(peers.world, { place: peers, binary: '/strake/strake', flags });
  }

  static async #start(world: World, where: CriPlace): Promise<Cri> {
    const cri = new Cri(world, where);
    await cri.startDaemon();
    return cri;
  }

  get root(): string {
    return join(this.world.work, 'cri-data');
  }

  get state(): string {
    return join(this.world.work, 'cri-run');
  }

  get socket(): string {
    return join(this.world.work, 'cri.sock');
  }

  get daemon(): Running {
    if (this.#daemon === undefined) throw new Error('strake cri does not run');
    return this.#daemon;
  }

  async startDaemon(): Promise<void> {
    const { place, binary, flags } = this.#where;
    mkdirSync(this.root, { recursive: true });
    const daemon = place.spawn([binary, 'cri', '--root', this.root, '--state', this.state, '--address', this.socket, ...flags]);
    await daemon.output(/msg=serving /, { stream: 'stderr' });
    this.#daemon = daemon;
  }

  async killDaemon(): Promise<void> {
    process.kill(this.daemon.innerPid, 'SIGKILL');
    await this.daemon.finished;
  }

  /** With a name of its own, unless it has one. */
  async runPod(config: PodConfig = {}): Promise<string> {
    const name = `pod-${++this.#names}`;
    const metadata = { name, namespace: 'default', uid: name, attempt: 0 };
    return (await this.runtime.runPodSandbox({ config: { metadata, ...config } })).podSandboxId;
  }

  async createContainer(podSandboxId: string, config: ContainerConfig): Promise<string> {
    const { containerId } = await this.runtime.createContainer({
      podSandboxId,
      config: { metadata: { name: `c-${++this.#names}` }, ...config },
      sandboxConfig: {},
    });
    return containerId;
  }

  /** Its pid in the world. */
  async startContainer(podSandboxId: string, config: ContainerConfig): Promise<{ readonly id: string; readonly pid: number }> {
    const id = await this.createContainer(podSandboxId, config);
    await this.runtime.startContainer({ containerId: id });
    return { id, pid: await this.pidOf(id) };
  }

  async pidOf(containerId: string): Promise<number> {
    const { info } = await this.runtime.containerStatus({ containerId, verbose: true });
    return (JSON.parse(info['info'] ?? '{}') as { readonly pid: number }).pid;
  }

  async status(containerId: string) {
    return (await this.runtime.containerStatus({ containerId })).status;
  }

  /** Its status, once it has ended. */
  async exited(containerId: string) {
    return await until('the container to have ended', async () => {
      const status = await this.status(containerId);
      return status?.state === criContainer.ContainerState.CONTAINER_EXITED ? status : undefined;
    });
  }

  async removePod(podSandboxId: string): Promise<void> {
    await this.runtime.stopPodSandbox({ podSandboxId });
    await this.runtime.removePodSandbox({ podSandboxId });
  }

  async exec(containerId: string, ...cmd: readonly string[]): Promise<string> {
    const { stdout, stderr, exitCode } = await this.runtime.execSync({ containerId, cmd: [...cmd], timeout: 10n });
    return `${Buffer.from(stdout).toString()}${Buffer.from(stderr).toString()}${exitCode === 0 ? '' : `exit ${exitCode}`}`.trim();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#connection.close();
    await this.#daemon?.stop();
  }
}
