import type { Logger } from '../../base/index.ts';
import { type EngineStores, engineNamespace, type LocalCore, type OpenFileTree, openLocalCore } from '../../core/index.ts';
import { LocalTaskManager, type TaskManager } from '../../core/tasks/index.ts';
import type { Runtimes } from '../../engine/index.ts';
import type { CgroupLayout, Launcher } from '../../kernel/index.ts';
import type { Machine } from '../../runtime/index.ts';
import type { DaemonFlags } from './flags.ts';
import { localRuntimes, remoteRuntimes, runcShim } from './runtimes.ts';
import { availableCapabilities } from './security-defaults.ts';

export interface ComposedCore {
  readonly core: EngineStores;
  /** All of it, when it is of this process. */
  readonly local: LocalCore | undefined;
  readonly tasks: TaskManager;
  readonly runtimes: Runtimes;
}

export interface ComposeCoreOptions {
  readonly flags: DaemonFlags;
  readonly launcher: Launcher;
  readonly openFileTree: OpenFileTree;
  readonly machine: Machine;
  readonly layout: CgroupLayout;
  readonly log: Logger;
  /** Ends what is made, the last first. */
  readonly cleanup: AsyncDisposableStack;
}

/** Stores and tasks: of this process, or of the containerd that `--containerd` names. */
export async function composeCore({ flags, launcher, openFileTree, machine, layout, log, cleanup }: ComposeCoreOptions): Promise<ComposedCore> {
  const { layerLimits, snapshotter, execRoot } = flags;
  const layersAtOnce = flags.transfers.downloads;
  if (flags.containerd === undefined) {
    const core = cleanup.use(openLocalCore({ root: flags.dataRoot, log, openFileTree, layerLimits, layersAtOnce, snapshotter }));
    return {
      core,
      local: core,
      tasks: new LocalTaskManager({ execRoot, launcher, events: core.events, log, machine, layout }),
      runtimes: localRuntimes(flags),
    };
  }
  // Loaded only here: who has no other containerd needs no gRPC.
  const { connectGrpc, inNamespace } = await import('../../rpc/grpc/index.ts');
  const { openRemoteCore, openRemoteEngineStores } = await import('../../core/remote/index.ts');
  const { RemoteTaskManager } = await import('../../core/tasks/remote/index.ts');
  const { runcChoice } = await import('./runc-choice.ts');
  const connection = connectGrpc({ kind: 'unix', path: flags.containerd });
  cleanup.defer(() => connection.close());
  const core = await openRemoteEngineStores({ connection, log, openFileTree, snapshotter, layerLimits, layersAtOnce });
  const runtimes = remoteRuntimes(flags, runcChoice);
  const tasks = cleanup.use(
    new RemoteTaskManager({
      connection: connection.with(inNamespace(engineNamespace)),
      containers: core.containers,
      events: openRemoteCore({ connection, log }).inNamespace(engineNamespace).events,
      execRoot,
      runtime: runtimes.known.get(runtimes.default)?.choice ?? { name: runcShim, options: undefined },
      launcher,
      layout,
      availableCapabilities: availableCapabilities(machine),
      log,
    }),
  );
  return { core, local: undefined, tasks, runtimes };
}
