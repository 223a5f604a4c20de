import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { packBuilt } from '../fixtures/pack-image.ts';
import { PeerWorld } from '../lib/peer-world.ts';
import type { Running } from '../lib/process.ts';
import { startStrakeRegistry } from '../lib/strake-registry.ts';
import { upload } from '../lib/upload.ts';
import type { World } from '../lib/world.ts';
import { critestImages } from './images.ts';

const registry = '127.0.0.1:5000';

/** A pod network as a cluster has it: a bridge, addresses of one node, ports of the node. */
const podNetwork = (state: string) => ({
  cniVersion: '1.0.0',
  name: 'pods',
  plugins: [
    {
      type: 'bridge',
      bridge: 'cni0',
      isGateway: true,
      ipMasq: true,
      hairpinMode: true,
      ipam: { type: 'host-local', dataDir: state, ranges: [[{ subnet: '10.88.0.0/16' }]], routes: [{ dst: '0.0.0.0/0' }] },
    },
    { type: 'portmap', capabilities: { portMappings: true } },
    { type: 'loopback' },
  ],
});

/** The peer root with a registry that has critest's images, and what a CRI needs to find it: hosts.toml for every registry, and a pod network. */
export class CriWorld implements AsyncDisposable {
  readonly peers: PeerWorld;
  readonly #daemons: Running[] = [];

  private constructor(peers: PeerWorld) {
    this.peers = peers;
  }

  /** In `home`, or in a new world that ends with this object. */
  static async start(home?: World): Promise<CriWorld> {
    const world = new CriWorld(await PeerWorld.start(home));
    try {
      await world.#prepare();
      return world;
    } catch (error) {
      await world[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** A directory that the machine, the world and the peer root see under this name. */
  get work(): string {
    return this.peers.world.work;
  }

  /** containerd's `config_path`. */
  get registryConfiguration(): string {
    return join(this.work, 'certs.d');
  }

  get networkConfiguration(): string {
    return join(this.work, 'cni/net.d');
  }

  /** The program where the peer root sees it too. */
  install(program: string): string {
    const place = join(this.work, 'bin', basename(program));
    mkdirSync(join(this.work, 'bin'), { recursive: true });
    copyFileSync(program, place);
    return place;
  }

  /** Runs until the world ends; resolves when it has said so. */
  async startDaemon(argv: readonly string[], ready: RegExp): Promise<Running> {
    const daemon = this.peers.spawn(argv);
    this.#daemons.push(daemon);
    await daemon.output(ready, { stream: 'stderr' });
    return daemon;
  }

  /** What the daemons have said. */
  get log(): string {
    return this.#daemons.map(({ argv, stderr }) => `${argv.join(' ')}\n${stderr}`).join('\n');
  }

  async #prepare(): Promise<void> {
    // Results of plugins are kept at a fixed place, which is of the peer root's own tree.
    await this.peers.output(['sh', '-ec', 'mkdir -p /var/lib/cni; mount -t tmpfs tmpfs /var/lib/cni']);
    mkdirSync(join(this.registryConfiguration, '_default'), { recursive: true });
    writeFileSync(join(this.registryConfiguration, '_default/hosts.toml'), `server = "http://${registry}"\n`);
    mkdirSync(this.networkConfiguration, { recursive: true });
    writeFileSync(join(this.networkConfiguration, '10-pods.conflist'), JSON.stringify(podNetwork(join(this.work, 'cni/addresses'))));
    await startStrakeRegistry(this.peers.world, registry);
    for (const { repository, tags, build } of await critestImages()) await upload(this.peers.world, packBuilt(build()), `${registry}/${repository}`, ...tags);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const daemon of this.#daemons.reverse()) await daemon.stop();
    await this.peers[Symbol.asyncDispose]();
  }
}
