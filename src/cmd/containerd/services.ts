/** containerd's services over a local core: those of `strake containerd`, and of an engine that serves them too. */
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { Logger } from '../../base/index.ts';
import { strakeCommit, strakeVersion } from '../../cli/version-number.ts';
import { Activations, containerdServices, InProcessSandboxes, InProcessTasks, SandboxHosts, TaskHosts } from '../../containerd/index.ts';
import type { LocalCore, OpenFileTree } from '../../core/index.ts';
import { Proxies, proxiesOfEnvironment } from '../../distribution/index.ts';
import type { Launcher } from '../../kernel/index.ts';
import type { GrpcService } from '../../rpc/grpc/index.ts';
import type { ContainerdConfig } from './config.ts';
import { type OpenedShims, openShims } from './shims.ts';

export interface ServicesPlace {
  readonly core: LocalCore;
  readonly launcher: Launcher;
  readonly openFileTree: OpenFileTree;
  readonly root: string;
  /** A directory of these services' alone. */
  readonly state: string;
  /** Of the unix socket, as shims are told it. */
  readonly address: string;
  readonly config: Pick<ContainerdConfig, 'downloads' | 'uploads' | 'registryConfig' | 'runtimes'>;
  readonly log: Logger;
  /** With the tasks of the daemon before; its own when absent. */
  readonly inProcess?: InProcessTasks;
  /** The same of shims. */
  readonly shims?: OpenedShims;
}

/** Finds the tasks of the daemon before, too. What is opened goes with `cleanup`. */
export async function composeServices(place: ServicesPlace, cleanup: AsyncDisposableStack): Promise<readonly GrpcService[]> {
  const { core, launcher, openFileTree, root, state, address, log } = place;
  const { downloads, uploads, registryConfig, runtimes } = place.config;
  const temporary = path.join(state, 'temporary');
  mkdirSync(state, { recursive: true, mode: 0o711 });
  rmSync(temporary, { recursive: true, force: true });
  const inProcess = place.inProcess ?? (await openInProcessTasks(place));
  const ownSandboxes = new InProcessSandboxes({ directory: path.join(state, 'sandboxes'), launcher, log });
  await ownSandboxes.recover();
  const mounts = new Activations({ directory: path.join(state, 'mounts'), launcher, log });
  core.onCollected(async () => await mounts.endUnleased(async (namespace, lease) => await isLease(core, namespace, lease)));
  cleanup.use(core.collectWhenRemoved());
  const { tasks: shims, sandboxes } = place.shims ?? (await openShims({ state, address, launcher, core, log }, cleanup));
  return containerdServices({
    core,
    tasks: new TaskHosts({ inProcess, shims, runtimes }),
    sandboxes: new SandboxHosts({ inProcess: ownSandboxes, shims: sandboxes, shimOf: (name) => shimSetting(runtimes, name) }),
    mounts,
    temporary,
    log,
    root,
    openFileTree,
    version: strakeVersion,
    revision: strakeCommit,
    registry: { configDirectories: registryConfig?.split(':'), proxies: new Proxies(proxiesOfEnvironment(process.env)) },
    downloads,
    uploads,
  });
}

/** Finds the tasks of the daemon before, too. */
export async function openInProcessTasks({ core, launcher, state, log }: Pick<ServicesPlace, 'core' | 'launcher' | 'state' | 'log'>): Promise<InProcessTasks> {
  const inProcess = new InProcessTasks({
    directory: path.join(state, 'namespaces'),
    launcher,
    events: (namespace) => core.inNamespace(namespace).events,
    log,
    version: strakeVersion,
  });
  await inProcess.recover();
  return inProcess;
}

function shimSetting(runtimes: ServicesPlace['config']['runtimes'], name: string): string | undefined {
  const setting = Object.hasOwn(runtimes, name) ? runtimes[name] : undefined;
  return setting !== undefined && 'shim' in setting ? setting.shim : undefined;
}

async function isLease(core: Pick<LocalCore, 'inNamespace'>, namespace: string, id: string): Promise<boolean> {
  return (await core.inNamespace(namespace).leaseStore.list([`id==${JSON.stringify(id)}`])).length > 0;
}
