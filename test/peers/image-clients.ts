import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf } from '../fixtures/image.ts';
import type { Engine } from '../lib/engine.ts';
import type { PeerWorld } from '../lib/peer-world.ts';
import type { RunOptions } from '../lib/process.ts';
import { listTree } from '../lib/tree-listing.ts';

/** A program that takes images from a registry, shows their trees and gives them to a registry. */
export interface ImageClient {
  readonly name: string;
  pull(reference: string): Promise<void>;
  /** Listing (tree-listing.ts) of what the image is once unpacked or run. */
  tree(reference: string): Promise<string>;
  push(reference: string, target: string): Promise<void>;
  /** Has the client forget the images, so that the next pull unpacks them anew. */
  forget(...references: readonly string[]): Promise<void>;
  login(registry: string, user: string, password: string): Promise<void>;
  logout(registry: string): Promise<void>;
}

/** How a client speaks with registries. */
export interface ClientOptions {
  /** Flags of podman, buildah and skopeo for what has no certificate, or one of an own authority; the others are configured where they run. */
  readonly transport?: readonly string[];
  /** Where it keeps logins. */
  readonly credentials?: string;
}

/** Runs its commands in the peer root, or in the world. */
type Output = (argv: readonly string[], options?: RunOptions) => Promise<string>;

export interface ContainerCli {
  readonly name: string;
  /** The command line up to its verb. */
  readonly command: readonly string[];
  readonly output: Output;
  readonly peers: PeerWorld;
  /** Flags of pull, push and login. */
  readonly transport?: readonly string[];
  /** Flags of rm that have it not wait for a process that ignores SIGTERM. */
  readonly atOnce?: readonly string[];
}

/** docker, podman, and ours: images are seen in a running container of theirs. */
export class ContainerClient implements ImageClient {
  readonly #cli: ContainerCli;

  constructor(cli: ContainerCli) {
    this.#cli = cli;
  }

  get name(): string {
    return this.#cli.name;
  }

  async do(...argv: readonly string[]): Promise<string> {
    return (await this.#cli.output([...this.#cli.command, ...argv])).trim();
  }

  async pull(reference: string): Promise<void> {
    await this.do('pull', '--quiet', ...(this.#cli.transport ?? []), reference);
  }

  async push(reference: string, target: string): Promise<void> {
    if (reference !== target) await this.do('tag', reference, target);
    await this.do('push', '--quiet', ...(this.#cli.transport ?? []), target);
  }

  async login(registry: string, user: string, password: string): Promise<void> {
    const argv = [...this.#cli.command, 'login', ...(this.#cli.transport ?? []), '--username', user, '--password-stdin', registry];
    await this.#cli.output(argv, { stdin: password });
  }

  async logout(registry: string): Promise<void> {
    await this.do('logout', registry);
  }

  async tree(reference: string): Promise<string> {
    return await this.withContainer(reference, async (_container, root) => await listTree(root));
  }

  /** Runs a container of the image for as long as `use`, which is told its root as the machine sees it. */
  async withContainer<T>(reference: string, use: (container: string, root: string) => Promise<T>): Promise<T> {
    const container = await this.do('run', '-d', '--network', 'none', reference, 'sleep', '1000');
    try {
      const pid = await this.do('inspect', '--format', '{{.State.Pid}}', container);
      return await use(container, this.#cli.peers.world.procPath(Number(pid), 'root'));
    } finally {
      await this.do('rm', '--force', ...(this.#cli.atOnce ?? []), container);
    }
  }

  /** The digest of its configuration, which is what engines call its id. */
  async id(reference: string): Promise<string> {
    return (await this.do('image', 'inspect', '--format', '{{.Id}}', reference)).replace(/^(?!sha)/, 'sha256:');
  }

  async save(file: string, reference: string, flags: readonly string[] = []): Promise<void> {
    await this.do('save', ...flags, '-o', file, reference);
  }

  async load(file: string): Promise<void> {
    await this.do('load', '-i', file);
  }

  async forget(...references: readonly string[]): Promise<void> {
    await this.do('rmi', '--force', ...references);
  }
}

/** docker and we keep logins in a directory, the others in a file. */
const dockerEnvironment = ({ credentials }: ClientOptions) => (credentials === undefined ? {} : { DOCKER_CONFIG: credentials });
const podmanEnvironment = ({ credentials }: ClientOptions) => ({
  PODMAN_IGNORE_CGROUPSV1_WARNING: '1',
  ...(credentials === undefined ? {} : { REGISTRY_AUTH_FILE: `${credentials}.json` }),
});

export function dockerClient(peers: PeerWorld, options: ClientOptions = {}): ContainerClient {
  const env = dockerEnvironment(options);
  return new ContainerClient({
    name: 'docker',
    command: ['docker', '-H', `unix://${peers.dockerSocket}`],
    output: async (argv, more) => await peers.output(argv, { ...more, env }),
    peers,
  });
}

/** Where podman and buildah keep their images: each its own, so that neither sees what the other has. */
export function storageFlags(peers: PeerWorld, name: string): readonly string[] {
  return ['--root', join(peers.world.work, name), '--runroot', join(peers.world.work, `${name}-run`)];
}

export function podmanClient(peers: PeerWorld, options: ClientOptions = {}): ContainerClient {
  const env = podmanEnvironment(options);
  return new ContainerClient({
    name: 'podman',
    command: ['podman', ...storageFlags(peers, 'podman'), '--cgroup-manager', 'cgroupfs'],
    output: async (argv, more) => await peers.output(argv, { ...more, env }),
    peers,
    transport: options.transport ?? [],
    atOnce: ['--time', '0'],
  });
}

/** Our own command line on our own engine. */
export function strakeClient(engine: Engine, options: ClientOptions = {}): ContainerClient {
  const env = dockerEnvironment(options);
  return new ContainerClient({
    name: 'strake',
    command: engine.strake,
    output: async (argv, more) => await engine.world.output(argv, { ...more, env }),
    peers: engine.peers,
  });
}

/** Its images are seen in a working container's mount. */
export class BuildahClient implements ImageClient {
  readonly name = 'buildah';
  readonly #peers: PeerWorld;
  readonly #transport: readonly string[];
  readonly #env: Readonly<Record<string, string>>;

  constructor(peers: PeerWorld, options: ClientOptions = {}) {
    this.#peers = peers;
    this.#transport = options.transport ?? [];
    this.#env = podmanEnvironment(options);
  }

  async do(...argv: readonly string[]): Promise<string> {
    return await this.#run(argv);
  }

  async login(registry: string, user: string, password: string): Promise<void> {
    await this.#run(['login', ...this.#transport, '--username', user, '--password-stdin', registry], password);
  }

  async logout(registry: string): Promise<void> {
    await this.do('logout', registry);
  }

  async #run(argv: readonly string[], stdin = ''): Promise<string> {
    return (await this.#peers.output(['buildah', ...storageFlags(this.#peers, 'buildah'), ...argv], { stdin, env: this.#env })).trim();
  }

  async pull(reference: string): Promise<void> {
    await this.do('pull', '--quiet', ...this.#transport, reference);
  }

  async push(reference: string, target: string): Promise<void> {
    if (reference !== target) await this.do('tag', reference, target);
    await this.do('push', '--quiet', ...this.#transport, target);
  }

  async tree(reference: string): Promise<string> {
    return await this.withContainer(reference, async (_container, root) => await listTree(root));
  }

  async withContainer<T>(reference: string, use: (container: string, root: string) => Promise<T>): Promise<T> {
    const container = await this.do('from', '--pull=never', reference);
    try {
      return await use(container, this.#peers.path(await this.do('mount', container)));
    } finally {
      await this.do('rm', container);
    }
  }

  async forget(...references: readonly string[]): Promise<void> {
    await this.do('rmi', '--force', ...references);
  }
}

/** What has no registry client is given OCI layouts by skopeo, and shows them by umoci. */
export class LayoutClient implements ImageClient {
  readonly name = 'skopeo and umoci';
  readonly #peers: PeerWorld;
  readonly #transport: readonly string[];
  readonly #env: Readonly<Record<string, string>>;

  constructor(peers: PeerWorld, options: ClientOptions = {}) {
    this.#peers = peers;
    this.#transport = options.transport ?? [];
    this.#env = podmanEnvironment(options);
  }

  /** The layout's directory, the same for the same reference. */
  layout(reference: string): string {
    return join(this.#peers.world.work, 'layouts', reference.replace(/\W/g, '-'));
  }

  async pull(reference: string): Promise<void> {
    mkdirSync(join(this.#peers.world.work, 'layouts'), { recursive: true });
    await this.#copy('src', `docker://${reference}`, `oci:${this.layout(reference)}:latest`);
  }

  async push(reference: string, target: string): Promise<void> {
    await this.#copy('dest', `oci:${this.layout(reference)}:latest`, `docker://${target}`);
  }

  async login(registry: string, user: string, password: string): Promise<void> {
    await this.#run(['login', ...this.#transport, '--username', user, '--password-stdin', registry], password);
  }

  async logout(registry: string): Promise<void> {
    await this.#run(['logout', registry]);
  }

  /** Byte by byte, with all platforms; `side` is where the registry is. */
  async #copy(side: 'src' | 'dest', from: string, to: string): Promise<void> {
    const transport = this.#transport.map((flag) => flag.replace(/^--/, `--${side}-`));
    await this.#run(['copy', '--quiet', '--all', '--preserve-digests', ...transport, from, to]);
  }

  async #run(argv: readonly string[], stdin = ''): Promise<void> {
    await this.#peers.output(['skopeo', ...argv], { stdin, env: this.#env });
  }

  async tree(reference: string): Promise<string> {
    const bundle = `${this.layout(reference)}-bundle`;
    await this.#peers.output(['umoci', 'unpack', '--image', `${this.layout(reference)}:latest`, bundle]);
    try {
      return await listTree(join(bundle, 'rootfs'));
    } finally {
      rmSync(bundle, { recursive: true });
    }
  }

  async forget(...references: readonly string[]): Promise<void> {
    for (const reference of references) rmSync(this.layout(reference), { recursive: true, force: true });
  }
}

/** What a registry says of a reference. */
export interface Documents {
  /** Digest of the document that the reference stands for. */
  readonly manifest: string;
  /** Those of the images in an index. */
  readonly images: readonly string[];
  /** Those of the configurations of all images. */
  readonly configurations: readonly string[];
}

interface Described {
  readonly manifests?: readonly { readonly digest: string }[];
  readonly config?: { readonly digest: string };
}

export async function documentsAt(peers: PeerWorld, reference: string): Promise<Documents> {
  const raw = async (name: string) => await peers.output(['skopeo', 'inspect', '--raw', '--tls-verify=false', `docker://${name}`]);
  const text = await raw(reference);
  const document = JSON.parse(text) as Described;
  const images = document.manifests?.map(({ digest }) => digest) ?? [];
  const repository = reference.replace(/:[^:/]*$/, '');
  const inside = await Promise.all(images.map(async (digest) => JSON.parse(await raw(`${repository}@${digest}`)) as Described));
  const configurations = [document, ...inside].flatMap(({ config }) => config?.digest ?? []);
  return { manifest: digestOf(Buffer.from(text)), images, configurations };
}
