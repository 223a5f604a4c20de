import type { ImageRecipe } from '../fixtures/exchanged-images.ts';
import { packImage } from '../fixtures/pack-image.ts';
import { Engine } from '../lib/engine.ts';
import { PeerWorld } from '../lib/peer-world.ts';
import { startStrakeRegistry } from '../lib/strake-registry.ts';
import { upload } from '../lib/upload.ts';
import { BuildahClient, type ContainerClient, dockerClient, type ImageClient, LayoutClient, podmanClient, strakeClient } from './image-clients.ts';
import type { PeerName } from './image-differences.ts';

const plain = { transport: ['--tls-verify=false'] };

/** Our registry, our engine and the real docker in one world, and all who take images from the registry. */
export class ImageWorld implements AsyncDisposable {
  readonly peers: PeerWorld;
  readonly host = '127.0.0.1:5001';
  readonly strake: ContainerClient;
  readonly docker: ContainerClient;
  readonly podman: ContainerClient;
  readonly buildah: BuildahClient;
  readonly layouts: LayoutClient;
  readonly #engine: Engine;

  private constructor(peers: PeerWorld, engine: Engine) {
    this.peers = peers;
    this.#engine = engine;
    this.strake = strakeClient(engine);
    this.docker = dockerClient(peers);
    this.podman = podmanClient(peers, plain);
    this.buildah = new BuildahClient(peers, plain);
    this.layouts = new LayoutClient(peers, plain);
  }

  static async start(): Promise<ImageWorld> {
    const peers = await PeerWorld.start();
    try {
      await startStrakeRegistry(peers.world, '127.0.0.1:5001');
      await peers.startDocker();
      return new ImageWorld(peers, await Engine.join(peers, []));
    } catch (error) {
      await peers[Symbol.asyncDispose]();
      throw error;
    }
  }

  client(peer: PeerName): ImageClient {
    return peer === 'skopeo and umoci' ? this.layouts : this[peer];
  }

  reference(owner: string, image: string): string {
    return `${this.host}/${owner.replaceAll(' ', '-')}/${image}:latest`;
  }

  /** Makes the image, and has the registry hold it. */
  async upload(recipe: ImageRecipe): Promise<string> {
    const { world } = this.peers;
    await upload(world, await packImage(recipe, world.work), `${this.host}/original/${recipe.name}`, 'latest');
    return this.reference('original', recipe.name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#engine[Symbol.asyncDispose]();
    await this.peers[Symbol.asyncDispose]();
  }
}
