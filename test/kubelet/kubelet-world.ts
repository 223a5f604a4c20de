import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connectCri } from '../../src/kubelet/index.ts';
import type { V1Pod } from '../../src/kubelet/kubernetes.ts';
import { busyboxLayer } from '../fixtures/busybox.ts';
import { type BuiltImage, image, layer } from '../fixtures/image.ts';
import { packBuilt } from '../fixtures/pack-image.ts';
import { Cri } from '../lib/cri.ts';
import { PeerWorld } from '../lib/peer-world.ts';
import type { Finished, Running } from '../lib/process.ts';
import { startStrakeRegistry } from '../lib/strake-registry.ts';
import { until } from '../lib/until.ts';
import { upload } from '../lib/upload.ts';

const registry = '127.0.0.1:5000';
export const busybox = `${registry}/busybox:1`;
const pause = `${registry}/pause:1`;
const path = 'PATH=/bin';
const images: Readonly<Record<string, () => BuiltImage>> = {
  busybox: () => image([layer(busyboxLayer())], { Env: [path], Cmd: ['sh'] }),
  pause: () => image([layer(busyboxLayer())], { Env: [path], Entrypoint: ['/bin/sleep', '1000000'] }),
};

/** A container runtime under a kubelet. */
export interface CriUnderKubelet {
  /** Starts it in the world; gives its socket as the peer root sees it, and what kills it and starts it again. */
  start(world: KubeletWorld): Promise<StartedCri>;
}

export interface StartedCri {
  readonly socket: string;
  restart(): Promise<void>;
}

/** Pods' times are seconds: so long something may take to show. */
const patienceMs = 40_000;

/** A machine with a container runtime, and a kubelet on it that tests start, kill and give manifests to. */
export class KubeletWorld implements AsyncDisposable {
  readonly peers: PeerWorld;
  #cri: StartedCri | undefined;
  #kubelet: Running | undefined;

  private constructor(peers: PeerWorld) {
    this.peers = peers;
  }

  static async start(runtime: CriUnderKubelet): Promise<KubeletWorld> {
    const world = new KubeletWorld(await PeerWorld.start());
    try {
      for (const name of ['manifests', 'outside', 'cni']) mkdirSync(join(world.work, name));
      await startStrakeRegistry(world.peers.world, registry);
      for (const [name, build] of Object.entries(images)) await upload(world.peers.world, packBuilt(build()), `${registry}/${name}`, '1');
      world.#cri = await runtime.start(world);
      await world.startKubelet();
      return world;
    } catch (error) {
      await world[Symbol.asyncDispose]();
      throw error;
    }
  }

  get work(): string {
    return this.peers.world.work;
  }

  /** A directory that pods may mount, and tests look into. */
  get outside(): string {
    return join(this.work, 'outside');
  }

  /** Of what the kubelet keeps. */
  get trees(): readonly string[] {
    return [join(this.work, 'kubelet'), join(this.work, 'logs')];
  }

  async startKubelet(): Promise<void> {
    const flags = ['--manifests', join(this.work, 'manifests'), '--restart-backoff', '100ms', '--node-ip', '192.0.2.1'];
    this.#kubelet = this.peers.spawn(['/strake/strake', 'kubelet', ...flags, ...this.#nodeFlags()]);
    await this.#kubelet.output(/kubelet runs/, { stream: 'stderr' });
  }

  async killKubelet(): Promise<void> {
    process.kill(this.#kubelet?.innerPid ?? 0, 'SIGKILL');
    await this.#kubelet?.finished;
  }

  async restartRuntime(): Promise<void> {
    await this.#cri?.restart();
  }

  get #socket(): string {
    return this.#cri?.socket ?? '';
  }

  async kube(...argv: readonly string[]): Promise<Finished> {
    return await this.peers.run(['/strake/strake', 'kube', ...argv, ...this.#nodeFlags()]);
  }

  /** Puts a manifest, of one or more objects, into the kubelet's directory. */
  apply(name: string, ...objects: readonly object[]): void {
    writeFileSync(join(this.work, 'manifests', `${name}.json`), JSON.stringify({ kind: 'List', items: objects }));
  }

  withdraw(name: string): void {
    rmSync(join(this.work, 'manifests', `${name}.json`));
  }

  /** What the kubelet tells of its pods. */
  async pods(): Promise<readonly V1Pod[]> {
    return (JSON.parse(await this.peers.output(['busybox', 'wget', '-q', '-O', '-', 'http://127.0.0.1:10255/pods'])) as { items: V1Pod[] }).items;
  }

  /** Waits for a pod to be as `is` says. */
  async pod(name: string, what: string, is: (pod: V1Pod) => boolean): Promise<V1Pod> {
    let last: V1Pod | undefined;
    const look = async (): Promise<V1Pod | undefined> => {
      last = (await this.pods()).find(({ metadata }) => metadata?.name === name);
      return last !== undefined && is(last) ? last : undefined;
    };
    return await this.#await(`pod ${name} to be ${what}`, look, () => JSON.stringify(last?.status));
  }

  async gone(name: string): Promise<void> {
    await this.#await(
      `pod ${name} to be gone`,
      async () => (await this.pods()).every(({ metadata }) => metadata?.name !== name),
      () => '',
    );
  }

  async #await<T>(what: string, look: () => Promise<T>, seen: () => string): Promise<Exclude<T, undefined | false>> {
    try {
      return await until(what, look, patienceMs);
    } catch (error) {
      throw new Error(`${(error as Error).message}: ${seen()}\n${this.#kubelet?.stderr.slice(-4000)}`, { cause: error });
    }
  }

  /** The runtime itself. */
  connect(): ReturnType<typeof connectCri> {
    return connectCri(this.peers.path(this.#socket));
  }

  /** Runs a command in a container, as its id stands in a status; gives its output. */
  async exec(containerId: string | undefined, ...cmd: readonly string[]): Promise<string> {
    using cri = this.connect();
    const { stdout, stderr, exitCode } = await cri.runtime.execSync({ containerId: (containerId ?? '').replace(/^.*:\/\//, ''), cmd: [...cmd], timeout: 10n });
    if (exitCode !== 0) throw new Error(`${cmd.join(' ')}: exit ${exitCode}: ${stderr}${stdout}`);
    return Buffer.from(stdout).toString();
  }

  /** The text of an address, as the machine gets it. */
  async get(url: string): Promise<string> {
    return await this.peers.output(['busybox', 'wget', '-q', '-O', '-', url]);
  }

  #nodeFlags(): string[] {
    return ['--cri', this.#socket, '--root-dir', join(this.work, 'kubelet'), '--pod-logs-dir', join(this.work, 'logs')];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#kubelet?.stop();
    await this.peers[Symbol.asyncDispose]();
  }
}

/** The CRI plugins of the real containerd, with CNI's plugins. */
export const realContainerd: CriUnderKubelet = {
  async start({ peers, work }) {
    await peers.output(['sh', '-ec', 'mkdir -p /var/lib/cni; mount -t tmpfs tmpfs /var/lib/cni']);
    const ipam = { type: 'host-local', dataDir: join(work, 'addresses'), ranges: [[{ subnet: '10.88.0.0/16' }]], routes: [{ dst: '0.0.0.0/0' }] };
    const bridge = { type: 'bridge', bridge: 'cni0', isGateway: true, ipam };
    writeFileSync(join(work, 'cni/10-pods.conflist'), JSON.stringify({ cniVersion: '1.0.0', name: 'pods', plugins: [bridge] }));
    await peers.startContainerd(`
[plugins.'io.containerd.cri.v1.images'.pinned_images]
sandbox = '${pause}'
[plugins.'io.containerd.grpc.v1.cri']
stream_server_port = '10010'
[plugins.'io.containerd.cri.v1.runtime']
restrict_oom_score_adj = true
[plugins.'io.containerd.cri.v1.runtime'.cni]
bin_dirs = ['/usr/lib/cni']
conf_dir = '${join(work, 'cni')}'
`);
    return { socket: peers.containerdSocket, restart: async () => await peers.restartContainerd() };
  },
};

/** `strake cri`, with its own pod network. */
export const ours: CriUnderKubelet = {
  async start({ peers }) {
    const cri = await Cri.startInPeerRoot(peers, ['--stream-port', '10010']);
    const restart = async (): Promise<void> => {
      await cri.killDaemon();
      await cri.startDaemon();
    };
    return { socket: cri.socket, restart };
  },
};
