import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { startRegistry } from '../fixtures/registry.ts';
import { strakeDist } from './dist.ts';
import { type DockerOptions, PeerWorld } from './peer-world.ts';
import type { Finished, Running, RunOptions } from './process.ts';
import type { Pty, PtySize } from './pty.ts';
import { until } from './until.ts';
import type { World } from './world.ts';

export type EngineName = 'docker' | 'strake';

/** The executable under test. */
export const strakeBinary = join(strakeDist, 'strake');

/**
 * A Docker Engine API in a world of its own with the test registry, and the real docker CLI pointed at it. The same
 * steps run on the real dockerd and on ours; only `start` knows which it is.
 */
export class Engine implements AsyncDisposable {
  readonly name: EngineName;
  readonly peers: PeerWorld;
  readonly #ownsWorld: boolean;
  #daemon: Running | undefined;
  /** Where our daemon keeps its images and runs its containers, in the peer root; absent when it does so itself. */
  #containerd: string | undefined;
  /** Whether our daemon runs there. */
  #isInPeerRoot = false;

  private constructor(name: EngineName, peers: PeerWorld, ownsWorld: boolean) {
    this.name = name;
    this.peers = peers;
    this.#ownsWorld = ownsWorld;
  }

  /** `options` are the real Docker's; `prepare` changes the peer root before anything runs in it. */
  static async start(name: EngineName, options: DockerOptions & { readonly prepare?: (peers: PeerWorld) => Promise<void> } = {}): Promise<Engine> {
    return await Engine.#inNewWorld(name, async (engine) => {
      await options.prepare?.(engine.peers);
      await startRegistry(engine.peers);
      if (name === 'docker') await engine.peers.startDocker(options);
      else await engine.startStrake();
    });
  }

  /** Our engine on the real containerd, or on another process of ours. */
  static async startOnContainerd(whose: 'theirs' | 'ours', flags: readonly string[] = []): Promise<Engine> {
    return await Engine.#inNewWorld('strake', async (engine) => {
      const { peers } = engine;
      await startRegistry(peers);
      engine.#isInPeerRoot = true;
      engine.#containerd = whose === 'theirs' ? peers.containerdSocket : '/run/strake/containerd.sock';
      if (whose === 'theirs') await peers.startContainerd();
      else await peers.startStrakeContainerd(engine.#containerd);
      await engine.startStrake(flags);
    });
  }

  /** Our engine in the peer root, where the runtimes are that `flags` name. */
  static async startInPeerRoot(flags: readonly string[]): Promise<Engine> {
    return await Engine.#inNewWorld('strake', async (engine) => {
      await startRegistry(engine.peers);
      engine.#isInPeerRoot = true;
      await engine.startStrake(flags);
    });
  }

  /** The world ends when the start fails. */
  static async #inNewWorld(name: EngineName, start: (engine: Engine) => Promise<void>): Promise<Engine> {
    const engine = new Engine(name, await PeerWorld.start(), true);
    try {
      await start(engine);
    } catch (error) {
      await engine[Symbol.asyncDispose]();
      throw error;
    }
    return engine;
  }

  /** Our engine in a world that runs already, beside whatever else runs there; ending it leaves the world. */
  static async join(peers: PeerWorld, flags: readonly string[]): Promise<Engine> {
    const engine = new Engine('strake', peers, false);
    await engine.startStrake(flags);
    return engine;
  }

  get binary(): string {
    return strakeBinary;
  }

  /** The argv of our own CLI against this engine, to be run in the world. */
  get strake(): string[] {
    return [strakeBinary, '-H', `unix://${this.socket}`];
  }

  get world(): World {
    return this.peers.world;
  }

  get work(): string {
    return this.peers.world.work;
  }

  get socket(): string {
    return this.name === 'docker' ? this.peers.dockerSocket : join(this.work, 'strake.sock');
  }

  get dataRoot(): string {
    return join(this.work, this.name === 'docker' ? 'docker' : 'data');
  }

  get execRoot(): string {
    return this.name === 'docker' ? '/run/docker' : join(this.work, 'exec');
  }

  /** Our daemon; absent when the engine is the real one. */
  get daemon(): Running {
    if (this.#daemon === undefined) throw new Error(`the ${this.name} engine runs no daemon of ours`);
    return this.#daemon;
  }

  /** Starts our daemon (again): resolves when its socket answers a ping. */
  async startStrake(extra: readonly string[] = []): Promise<void> {
    mkdirSync(this.dataRoot, { recursive: true });
    const daemon = (this.#isInPeerRoot ? this.peers : this.world).spawn([
      this.#isInPeerRoot ? '/strake/strake' : strakeBinary,
      'daemon',
      ...(this.#containerd === undefined ? [] : ['--containerd', this.#containerd]),
      '--data-root',
      this.dataRoot,
      '--exec-root',
      this.execRoot,
      '-H',
      `unix://${this.socket}`,
      ...extra,
    ]);
    this.#daemon = daemon;
    await until(`an answer at ${this.socket}`, () => {
      if (daemon.exited) throw new Error(`strake daemon ended: ${daemon.stderr.slice(-2000)}`);
      return answers(this.socket);
    });
  }

  /** Our daemon deletes directories behind its answers: resolves when none is left. */
  async deletionsDone(): Promise<void> {
    if (this.name === 'docker') return;
    const directories = [join(this.dataRoot, 'snapshots'), join(this.dataRoot, 'containers'), join(this.execRoot, 'tasks')];
    const content = join(this.dataRoot, 'content/removed');
    const removed = () => [
      ...(existsSync(content) ? readdirSync(content).map((name) => join(content, name)) : []),
      ...directories
        .filter((directory) => existsSync(directory))
        .flatMap((directory) =>
          readdirSync(directory)
            .filter((name) => /^\.?removed-/.test(name))
            .map((name) => join(directory, name)),
        ),
    ];
    await until('removed directories to be deleted', () => removed().length === 0).catch((error: unknown) => {
      throw new Error(`${String(error)}: ${removed().join(' ')}: ${this.daemon.stderr.slice(-3000)}`);
    });
  }

  /** Runs our own CLI against this engine: any exit status. */
  async own(argv: readonly string[], options?: RunOptions): Promise<Finished> {
    return await this.world.run([...this.strake, ...argv], options);
  }

  /** The same, which must succeed: its output. */
  async ownOutput(argv: readonly string[], options?: RunOptions): Promise<string> {
    return await this.world.output([...this.strake, ...argv], options);
  }

  /** The argv of the real docker CLI against this engine. */
  cli(argv: readonly string[]): string[] {
    return ['docker', '-H', `unix://${this.socket}`, ...argv];
  }

  async docker(argv: readonly string[], options?: RunOptions): Promise<Finished> {
    return await this.peers.run(this.cli(argv), options);
  }

  dockerSpawn(argv: readonly string[], options?: RunOptions & { readonly keepStdin?: boolean }): Running {
    return this.peers.spawn(this.cli(argv), options);
  }

  dockerPty(argv: readonly string[], size?: PtySize): Pty {
    return this.peers.pty(this.cli(argv), size);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#daemon?.stop();
    if (this.#ownsWorld) await this.peers[Symbol.asyncDispose]();
  }
}

/** Whether an Engine API answers `GET /_ping` there. */
async function answers(socketPath: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const ping = request({ socketPath, path: '/_ping' }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    ping.once('error', () => resolve(false));
    ping.end();
  });
}
