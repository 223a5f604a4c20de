import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { peerRootDir, peersDir } from '../../tools/peers/recipe.ts';
import { strakeDist } from './dist.ts';
import type { Running } from './process.ts';
import { Place, World } from './world.ts';

export interface DockerOptions {
  /** An OCI runtime to use instead of runc. */
  readonly runtime?: string;
  /** Whose containerd it stands on: the real one unless told. */
  readonly containerd?: 'theirs' | 'ours';
  /** What daemon.json says. */
  readonly configuration?: object;
  /** More flags of dockerd. */
  readonly flags?: readonly string[];
}

/**
 * The peer root inside a test world: same network, pids and cgroups as the world, its own root filesystem. Here run
 * the docker CLI (against any socket under `world.work`) and, when started, the real containerd and dockerd. What was built stands at `/strake`.
 */
export class PeerWorld extends Place implements AsyncDisposable {
  readonly world: World;
  readonly #ownsWorld: boolean;
  readonly #holder: Running;
  readonly #daemons: Running[] = [];
  /** The socket of ours. */
  #strakeContainerd = '';
  #dockerOptions: DockerOptions = {};
  /** Of the real containerd: its CRI's sections of the configuration. */
  #cri: string | undefined;

  private constructor(world: World, ownsWorld: boolean, holder: Running) {
    super(holder.innerPid, world.cgroup);
    this.world = world;
    this.#ownsWorld = ownsWorld;
    this.#holder = holder;
  }

  /** Enters `world`, or a new one that ends with this object. */
  static async start(world?: World): Promise<PeerWorld> {
    const home = world ?? (await World.start());
    const script = join(import.meta.dirname, 'peer-holder.sh');
    const binds = [`${home.work}:${home.work}`, `${peersDir}:/peers`, ...(existsSync(strakeDist) ? [`${strakeDist}:/strake`] : [])];
    const holder = home.spawn(['unshare', '--mount', '--propagation', 'private', 'sh', script, peerRootDir, ...binds], { keepStdin: true });
    try {
      await holder.output(/^ready$/m);
    } catch (error) {
      if (world === undefined) await home[Symbol.asyncDispose]();
      throw error;
    }
    return new PeerWorld(home, world === undefined, holder);
  }

  /** The real dockerd's socket, in the shared work directory. */
  get dockerSocket(): string {
    return join(this.world.work, 'docker.sock');
  }

  /** A directory whose shims the real containerd takes rather than its own. */
  get shims(): string {
    return join(this.world.work, 'shims');
  }

  get containerdSocket(): string {
    return '/run/containerd/containerd.sock';
  }

  /** Ends the real containerd, which leaves shims and their tasks, and starts it again. */
  async restartContainerd(): Promise<void> {
    const daemon = this.#daemons.shift();
    await daemon?.stop();
    await this.startContainerd(this.#cri);
    const restarted = this.#daemons.pop();
    if (restarted !== undefined) this.#daemons.unshift(restarted);
  }

  /** `cri`: what the configuration says of the CRI plugins, which are off without it. */
  async startContainerd(cri?: string): Promise<void> {
    this.#cri = cri;
    const config = join(this.world.work, 'containerd.toml');
    mkdirSync(join(this.world.work, 'containerd'), { recursive: true });
    writeFileSync(
      config,
      `version = 3
root = '${this.world.work}/containerd'
state = '/run/containerd'
disabled_plugins = [${cri === undefined ? "'io.containerd.grpc.v1.cri', 'io.containerd.cri.v1.images', 'io.containerd.cri.v1.runtime'" : ''}]
[grpc]
address = '${this.containerdSocket}'
${cri ?? ''}
`,
    );
    // It looks for shims in PATH: ours stand beside the peer's, and what a test puts there before them.
    const daemon = this.spawn(['sh', '-c', 'PATH=$1:$PATH:/strake exec containerd --config "$0"', config, this.shims]);
    this.#daemons.push(daemon);
    await daemon.output(/containerd successfully booted/, { stream: 'stderr' });
  }

  /** Kills ours, which leaves monitors and their tasks, and starts it again. */
  async restartStrakeContainerd(): Promise<void> {
    await this.killStrakeContainerd();
    await this.startStrakeContainerd(this.#strakeContainerd);
    const restarted = this.#daemons.pop();
    if (restarted !== undefined) this.#daemons.unshift(restarted);
  }

  /** Until `startStrakeContainerd`. */
  async killStrakeContainerd(): Promise<void> {
    const daemon = this.#daemons.shift();
    if (daemon === undefined) return;
    process.kill(daemon.innerPid, 'SIGKILL');
    await daemon.finished;
  }

  /** Ours, as it stands at /strake. */
  async startStrakeContainerd(socket: string): Promise<void> {
    this.#strakeContainerd = socket;
    const flags = ['--root', join(this.world.work, 'strake-containerd'), '--state', dirname(socket), '--address', socket, '--ready-fd', '1'];
    const daemon = this.spawn(['/strake/strake', 'containerd', ...flags]);
    this.#daemons.push(daemon);
    await daemon.output(/^ready$/m);
  }

  /** containerd, then dockerd on it; resolves when the API listens. */
  async startDocker(options: DockerOptions = {}): Promise<void> {
    if (options.containerd === 'ours') await this.startStrakeContainerd(this.containerdSocket);
    else await this.startContainerd();
    this.#dockerOptions = options;
    await this.#startDockerd(options);
  }

  /** Ends the real dockerd, which with live-restore leaves its containers, and starts it again. */
  async restartDocker(): Promise<void> {
    await this.#daemons.pop()?.stop();
    await this.#startDockerd(this.#dockerOptions);
  }

  async #startDockerd({ runtime, configuration, flags = [] }: DockerOptions): Promise<void> {
    const configurationFile = join(this.world.work, 'daemon.json');
    if (configuration !== undefined) writeFileSync(configurationFile, JSON.stringify(configuration));
    const daemon = this.spawn([
      'dockerd',
      `--containerd=${this.containerdSocket}`,
      `--data-root=${this.world.work}/docker`,
      '--exec-root=/run/docker',
      `--host=unix://${this.dockerSocket}`,
      '--pidfile=/run/docker.pid',
      ...(runtime === undefined ? [] : [`--add-runtime=strake=${runtime}`, '--default-runtime=strake']),
      ...(configuration === undefined ? [] : [`--config-file=${configurationFile}`]),
      ...flags,
    ]);
    this.#daemons.push(daemon);
    await daemon.output(/API listen on/, { stream: 'stderr' });
  }

  /** Runs a command at this process's terminal, and gives its exit code. */
  async interactive(argv: readonly string[]): Promise<number> {
    const [program, ...args] = this.command(argv) as [string, ...string[]];
    return spawnSync(program, args, { stdio: 'inherit' }).status ?? 1;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const daemon of this.#daemons.reverse()) await daemon.stop();
    this.#holder.endInput();
    await this.#holder.stop();
    if (this.#ownsWorld) await this.world[Symbol.asyncDispose]();
  }
}
