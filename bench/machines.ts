import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { busyboxLayer } from '../test/fixtures/busybox.ts';
import { registryHost, startRegistry } from '../test/fixtures/registry.ts';
import { Engine } from '../test/lib/engine.ts';
import { PeerWorld } from '../test/lib/peer-world.ts';
import { World } from '../test/lib/world.ts';
import { disk } from './disk.ts';

export const busybox = `${registryHost}/busybox:latest`;
export const debian = `${registryHost}/debian:latest`;

/**
 * Everything that is measured, in one world: one registry, one network, the peers' daemons and ours. The default bridges have different
 * addresses, as both cannot own 172.17.0.0/16.
 */
export class Machines implements AsyncDisposable {
  readonly world: World;
  readonly peers: PeerWorld;
  readonly engine: Engine | undefined;
  /** runs `true` */
  readonly bundle: string;
  /** runs `sleep`, on the same root filesystem */
  readonly sleeper: string;

  private constructor(peers: PeerWorld, engine: Engine | undefined) {
    this.world = peers.world;
    this.peers = peers;
    this.engine = engine;
    this.bundle = join(peers.world.work, 'bundle');
    this.sleeper = join(peers.world.work, 'sleeper');
  }

  static async start(withStrake: boolean): Promise<Machines> {
    const world = await World.start(disk === undefined ? {} : { disk });
    const peers = await PeerWorld.start(world);
    await startRegistry(peers);
    await peers.startDocker();
    const engine = withStrake ? await Engine.join(peers, ['--bridge', 'strake0', '--bip', '172.29.0.1/16']) : undefined;
    const machines = new Machines(peers, engine);
    await machines.#prepare();
    return machines;
  }

  get docker(): string[] {
    return ['docker', '-H', `unix://${this.peers.dockerSocket}`];
  }

  get podman(): string[] {
    return [
      'podman',
      '--root',
      `${this.world.work}/podman`,
      '--runroot',
      '/run/podman',
      '--cgroup-manager',
      'cgroupfs',
      '--events-backend',
      'file',
      '--storage-driver',
      'overlay',
    ];
  }

  get ctr(): string[] {
    return ['ctr', '--address', this.peers.containerdSocket];
  }

  /** The images everywhere, and a bundle for the runtimes alone. */
  async #prepare(): Promise<void> {
    await this.peers.output([...this.docker, 'pull', '-q', busybox]);
    await this.peers.output([...this.podman, 'pull', '-q', '--tls-verify=false', busybox]);
    await this.peers.output([...this.ctr, 'images', 'pull', '--plain-http', busybox]);
    if (this.engine) await this.world.output([...this.engine.strake, 'pull', '-q', busybox]);
    mkdirSync(join(this.bundle, 'rootfs'), { recursive: true });
    writeFileSync(join(this.bundle, 'layer.tar'), busyboxLayer());
    await this.world.output(['tar', '-xf', join(this.bundle, 'layer.tar'), '-C', join(this.bundle, 'rootfs')]);
    await this.peers.output(['runc', 'spec', '--bundle', this.bundle]);
    const path = join(this.bundle, 'config.json');
    const config = JSON.parse(readFileSync(path, 'utf8')) as { process: { terminal: boolean; args: string[] }; root: { path: string } };
    config.process.terminal = false;
    config.process.args = ['true'];
    writeFileSync(path, JSON.stringify(config));
    mkdirSync(this.sleeper, { recursive: true });
    config.process.args = ['sleep', '100000'];
    config.root.path = join(this.bundle, 'rootfs');
    writeFileSync(join(this.sleeper, 'config.json'), JSON.stringify(config));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.engine?.[Symbol.asyncDispose]();
    await this.peers[Symbol.asyncDispose]();
    await this.world[Symbol.asyncDispose]();
  }
}
