import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { busyboxLayer } from '../test/fixtures/busybox.ts';
import { image, layer, writeLayout } from '../test/fixtures/image.ts';
import { tar } from '../test/fixtures/tar.ts';
import type { Running } from '../test/lib/process.ts';
import { debian, type Machines } from './machines.ts';

export type RegistryName = 'docker-registry' | 'strake';

const addresses: Readonly<Record<RegistryName, string>> = { 'docker-registry': '127.0.0.1:5001', strake: '127.0.0.1:5002' };

export type ImageName = 'debian' | 'many';

/** An image of many layers, each of many small files. */
export const manyLayers = { count: 40, filesEach: 1250, fileBytes: 2048 } as const;

/** Debian's registry and ours, each on a directory of its own, with the images that are pulled. */
export class Registries implements AsyncDisposable {
  readonly #machines: Machines;
  readonly #running: Running[] = [];
  readonly names: readonly RegistryName[];

  private constructor(machines: Machines) {
    this.#machines = machines;
    this.names = machines.engine ? ['docker-registry', 'strake'] : ['docker-registry'];
  }

  static async start(machines: Machines, images: ReadonlySet<ImageName>): Promise<Registries> {
    const servers = new Registries(machines);
    try {
      await servers.#serve();
      for (const image of images) await servers.#store(image);
      return servers;
    } catch (error) {
      await servers[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** `repository` is one of the images, or where something is pushed to. */
  reference(registry: RegistryName, repository: string): string {
    return `${addresses[registry]}/${repository}:latest`;
  }

  url(registry: RegistryName): string {
    return `http://${addresses[registry]}`;
  }

  /** Takes away what was pushed to Debian's registry below `repository`, and every blob with it: the next push has to send all. */
  forget(repository: string): void {
    const root = join(this.#directory('docker-registry'), 'docker/registry/v2');
    rmSync(join(root, 'repositories', repository), { recursive: true, force: true });
    rmSync(join(root, 'blobs'), { recursive: true, force: true });
  }

  #directory(registry: RegistryName): string {
    return join(this.#machines.world.work, `registry-of-${registry}`);
  }

  async #serve(): Promise<void> {
    const { peers, world, engine } = this.#machines;
    const config = join(world.work, 'registry-push.yml');
    const storage = this.#directory('docker-registry');
    writeFileSync(
      config,
      `version: 0.1
log: {level: info, accesslog: {disabled: true}}
storage:
  filesystem: {rootdirectory: ${storage}}
http: {addr: "${addresses['docker-registry']}"}
`,
    );
    const theirs = peers.spawn(['docker-registry', 'serve', config], { env: { OTEL_TRACES_EXPORTER: 'none' } });
    this.#running.push(theirs);
    await theirs.output(/listening on/, { stream: 'stderr' });
    if (engine === undefined) return;
    const ours = world.spawn([engine.binary, 'registry', '--addr', addresses.strake, '--root', this.#directory('strake')]);
    this.#running.push(ours);
    await ours.output(/registry listens/, { stream: 'stderr' });
  }

  async #store(image: ImageName): Promise<void> {
    const { peers, world } = this.#machines;
    const layout = join(world.work, 'many');
    if (image === 'many') {
      mkdirSync(layout, { recursive: true });
      writeLayout(layout, manyImage());
    }
    const from = image === 'many' ? `oci:${layout}:latest` : `docker://${debian}`;
    for (const name of this.names)
      await peers.output(
        ['skopeo', 'copy', '--insecure-policy', '--src-tls-verify=false', '--dest-tls-verify=false', from, `docker://${this.reference(name, image)}`],
        { timeoutMs: 300_000 },
      );
    rmSync(layout, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#running) await server.stop();
  }
}

function manyImage() {
  return image([layer(busyboxLayer()), ...Array.from({ length: manyLayers.count - 1 }, (_, index) => layer(manyFiles(index)))]);
}

/** Text compresses as source code does, not as zeros do. */
function manyFiles(layerIndex: number): Uint8Array {
  const words = readFileSync(import.meta.filename, 'utf8');
  const content = (file: number) => `${layerIndex} ${file}\n${words.slice((file * 37) % 1000)}`.slice(0, manyLayers.fileBytes);
  return tar([
    { path: `layer-${layerIndex}`, type: 'dir' },
    ...Array.from({ length: manyLayers.filesEach }, (_, file) => ({ path: `layer-${layerIndex}/file-${file}`, data: content(file) })),
  ]);
}
