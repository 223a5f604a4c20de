/** Stores and tasks of pods: of this process, or of a containerd. */
import path from 'node:path';
import { type Logger, StrakeError } from '../../base/index.ts';
import { type Comparer, createOpenFileTree, openLocalCore } from '../../core/index.ts';
import { LocalTaskManager, type LocalTaskManagerOptions, type TaskManager, TasksByHolder } from '../../core/tasks/index.ts';
import type { CriOptions } from '../../cri/index.ts';
import type { PullerOptions } from '../../distribution/index.ts';
import type { CgroupLayout, Launcher } from '../../kernel/index.ts';
import type { Machine } from '../../runtime/index.ts';
import { availableCapabilities } from '../daemon/security-defaults.ts';
import type { CriSettings } from './flags.ts';
import { isShim } from './handlers.ts';

/** containerd's clients find what belongs to Kubernetes there. */
const namespace = 'k8s.io';

export interface CriParts {
  readonly stores: CriOptions['stores'] & Pick<PullerOptions, 'unpacker' | 'leases'>;
  readonly tasks: TaskManager;
  readonly comparer: Comparer;
  readonly askShim: CriOptions['askShim'];
  /** Once all that is of an earlier run is known. */
  recovered(): Promise<void>;
}

export interface CriPartsOptions {
  readonly settings: Pick<CriSettings, 'root' | 'state' | 'containerd' | 'containerdAddress' | 'runtimes'>;
  /** of the tasks */
  readonly execRoot: string;
  readonly launcher: Launcher;
  readonly machine: Machine;
  readonly layout: CgroupLayout;
  readonly log: Logger;
  /** Ends what is made, the last first. */
  readonly cleanup: AsyncDisposableStack;
}

export function execRootOf(state: string): string {
  return path.join(state, 'namespaces', namespace);
}

export async function openParts(options: CriPartsOptions): Promise<CriParts> {
  const { containerd } = options.settings;
  return containerd === undefined ? await openLocalParts(options) : await openRemoteParts(options, containerd);
}

async function openLocalParts({
  settings: { root, state, containerdAddress, runtimes },
  execRoot,
  launcher,
  machine,
  layout,
  log,
  cleanup,
}: CriPartsOptions): Promise<CriParts> {
  const core = cleanup.use(openLocalCore({ root, log, openFileTree: createOpenFileTree(launcher) }));
  await core.restore();
  const stores = core.inNamespace(namespace);
  // Loaded only here: pods need nothing of containerd's API.
  const face =
    containerdAddress === undefined ? undefined : await (await import('./containerd-face.ts')).openContainerdFace({ core, launcher, root, state, log });
  const own = face?.inProcess.manager(namespace) ?? (await localTasks({ execRoot, launcher, events: stores.events, log, machine, layout }));
  const shimPlace = { core, namespace, state, execRoot, launcher, layout, availableCapabilities: availableCapabilities(machine), log };
  const theirs = Object.values(runtimes).some(isShim) ? await (await import('./shim-tasks.ts')).openShimTasks(shimPlace, cleanup) : undefined;
  return {
    stores: { ...stores, collectGarbage: core.collectGarbage, flush: core.flush },
    tasks: theirs === undefined ? own : new TasksByHolder({ own, shims: theirs.tasks }),
    comparer: core.comparer,
    askShim: async (runtimeName) => (await theirs?.shims.tasks.info(runtimeName)) ?? noShims(),
    async recovered() {
      cleanup.use(core.collectWhenRemoved());
      await core.snapshots.cleanup();
      if (containerdAddress !== undefined) cleanup.use(await face?.serve(containerdAddress, theirs?.shims));
    },
  };
}

async function localTasks(options: LocalTaskManagerOptions): Promise<TaskManager> {
  const tasks = new LocalTaskManager(options);
  await tasks.recover();
  return tasks;
}

/** Loaded only here: who has no containerd needs no client of it. */
async function openRemoteParts({ execRoot, launcher, machine, layout, log, cleanup }: CriPartsOptions, address: string): Promise<CriParts> {
  const { connectGrpc, inNamespace } = await import('../../rpc/grpc/index.ts');
  const { openRemoteCore, openRemoteEngineStores } = await import('../../core/remote/index.ts');
  const { RemoteTaskManager } = await import('../../core/tasks/remote/index.ts');
  const { askContainerd } = await import('./ask-containerd.ts');
  const connection = connectGrpc({ kind: 'unix', path: address });
  cleanup.defer(() => connection.close());
  const stores = await openRemoteEngineStores({ connection, log, openFileTree: createOpenFileTree(launcher), snapshotter: 'overlayfs', namespace });
  const tasks = cleanup.use(
    new RemoteTaskManager({
      connection: connection.with(inNamespace(namespace)),
      containers: stores.containers,
      events: openRemoteCore({ connection, log }).inNamespace(namespace).events,
      execRoot,
      runtime: { name: 'io.containerd.runc.v2', options: undefined },
      launcher,
      layout,
      availableCapabilities: availableCapabilities(machine),
      log,
    }),
  );
  await tasks.recover();
  return { stores, tasks, comparer: stores.comparer, askShim: askContainerd(connection), recovered: async () => undefined };
}

function noShims(): never {
  throw new StrakeError('Unimplemented', 'no shims are run here', { fields: { layer: 'cri' } });
}
