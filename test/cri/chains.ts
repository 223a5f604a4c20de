import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CriWorld } from './cri-world.ts';

/** A CRI under test. */
export interface CriChain {
  /** Starts it in the world; gives its endpoint as clients there name it. */
  start(world: CriWorld): Promise<string>;
}

/** The CRI plugins of the real containerd, over runc. */
const containerd: CriChain = {
  async start({ peers, registryConfiguration, networkConfiguration }) {
    await peers.startContainerd(`
[plugins.'io.containerd.cri.v1.images'.pinned_images]
sandbox = 'registry.k8s.io/pause:3.10'
[plugins.'io.containerd.cri.v1.images'.registry]
config_path = '${registryConfiguration}'
[plugins.'io.containerd.cri.v1.runtime']
restrict_oom_score_adj = true
[plugins.'io.containerd.cri.v1.runtime'.cni]
bin_dirs = ['/usr/lib/cni']
conf_dir = '${networkConfiguration}'
`);
    return `unix://${peers.containerdSocket}`;
  },
};

/** By the names of their handlers, as the peer root has them. */
const runtimes = {
  runc: '/usr/sbin/runc',
  crun: '/usr/bin/crun',
  'runc-shim': 'io.containerd.runc.v2',
  'strake-shim': '/strake/containerd-shim-strake-v2',
};

/** `strake cri`: all layers in one process, with other runtimes for pods that name them. */
function criWith(flags: (world: CriWorld) => readonly string[]): CriChain {
  return {
    async start(world) {
      const socket = '/run/strake/cri.sock';
      const place = ['--address', socket, '--root', join(world.work, 'strake'), '--registry-config', world.registryConfiguration];
      const handlers = Object.entries(runtimes).flatMap(([name, runtime]) => ['--runtime', `${name}=${runtime}`]);
      await world.startDaemon(['/strake/strake', 'cri', ...place, ...handlers, ...flags(world)], /msg=serving/);
      return `unix://${socket}`;
    },
  };
}

/** With the network of its own. */
const ours = criWith(() => []);

/** With a pod network of CNI's plugins. */
const oursOnCni = criWith(pluginFlags);

/** Ours over a containerd, which `containerd` starts in the peer root: answers its socket. */
function criContainerdOver(containerd: (world: CriWorld) => Promise<string>): CriChain {
  return {
    async start(world) {
      const socket = '/run/strake/cri-containerd.sock';
      const place = ['--address', socket, '--root', join(world.work, 'cri-data'), '--registry-config', world.registryConfiguration];
      const flags = [...place, '--runtime', 'strake-shim=io.containerd.strake.v2'];
      await world.startDaemon(['/strake/strake', 'cri-containerd', '--containerd', await containerd(world), ...flags, ...pluginFlags(world)], /msg=serving/);
      return `unix://${socket}`;
    },
  };
}

/** The real containerd, without a CRI of its own. */
const criContainerd = criContainerdOver(async ({ peers }) => {
  await peers.startContainerd();
  return peers.containerdSocket;
});

const criContainerdOnOurs = criContainerdOver(async (world) => {
  const socket = join(world.work, 'containerd.sock');
  const state = ['--root', join(world.work, 'containerd'), '--state', '/run/strake-containerd'];
  await world.startDaemon(['/strake/strake', 'containerd', '--address', socket, ...state], /msg=serving/);
  return socket;
});

/** Pods on the commands of an OCI runtime, as CRI-O's file has it. */
const crio: CriChain = {
  async start(world) {
    const socket = '/run/strake/crio.sock';
    const file = join(world.work, 'crio.conf');
    writeFileSync(
      file,
      `[crio.api]
listen = '${socket}'
[crio.runtime]
default_runtime = 'crun'
cgroup_manager = 'cgroupfs'
[crio.runtime.runtimes.crun]
runtime_path = '/usr/bin/crun'
[crio.runtime.runtimes.runc]
runtime_path = '/usr/sbin/runc'
[crio.network]
network_dir = '${world.networkConfiguration}'
plugin_dirs = ['/usr/lib/cni']
`,
    );
    const flags = ['--config', file, '--config-dir', join(world.work, 'crio.conf.d'), '--root', join(world.work, 'strake')];
    await world.startDaemon(['/strake/strake', 'crio', ...flags, '--registry-config', world.registryConfiguration], /msg=serving/);
    return `unix://${socket}`;
  },
};

function pluginFlags({ networkConfiguration }: CriWorld): readonly string[] {
  return ['--pod-network', 'cni', '--cni-config-dir', networkConfiguration, '--cni-bin-dir', '/usr/lib/cni'];
}

/** Ours over an engine, which `engine` starts in the peer root: answers its address. */
function dockershimOver(engine: (world: CriWorld) => Promise<string>): CriChain {
  return {
    async start(world) {
      const address = join(world.work, 'dockershim.sock');
      await world.startDaemon(['/strake/strake', 'dockershim', '--address', address, '--docker', await engine(world)], /serving/);
      return `unix://${address}`;
    },
  };
}

const dockershim = dockershimOver(async (world) => {
  const { work, registryConfiguration } = world;
  const socket = `unix://${join(work, 'strake.sock')}`;
  const state = ['--data-root', join(work, 'data'), '--exec-root', join(work, 'exec')];
  await world.startDaemon(
    ['/strake/strake', 'daemon', ...state, '--registry-config', registryConfiguration, '-H', socket],
    /daemon has completed initialization/,
  );
  return socket;
});

/** The real dockerd has no mirrors but for its hub: the registry stands under the names that are asked for, at their port. */
const dockershimOnDocker = dockershimOver(async ({ peers, work }) => {
  const registries = ['registry.k8s.io', 'k8s.gcr.io', 'gcr.io'];
  const hosts = join(work, 'hosts');
  writeFileSync(hosts, `127.0.0.1 localhost ${registries.join(' ')}\n`);
  const redirect =
    'add table ip mirror; add chain ip mirror out { type nat hook output priority -100; }; add rule ip mirror out ip daddr 127.0.0.1 tcp dport 80 redirect to :5000';
  await peers.output(['sh', '-ec', 'mount --bind "$1" /etc/hosts; nft "$2"', 'sh', hosts, redirect]);
  await peers.startDocker({ configuration: { 'insecure-registries': registries } });
  return `unix://${peers.dockerSocket}`;
});

/** By the name that `--against` takes. */
export const chains: Readonly<Record<string, CriChain>> = {
  containerd,
  ours,
  'ours-cni': oursOnCni,
  'cri-containerd': criContainerd,
  'cri-containerd-ours': criContainerdOnOurs,
  crio,
  dockershim,
  'dockershim-docker': dockershimOnDocker,
};

/** What `--against` names. */
export function chainNamed(name: string): CriChain {
  const chain = Object.hasOwn(chains, name) ? chains[name] : undefined;
  if (chain === undefined) throw new Error(`--against: one of ${Object.keys(chains).join(', ')}`);
  return chain;
}
