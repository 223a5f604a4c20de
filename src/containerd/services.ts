import type { Logger } from '../base/index.ts';
import type { LocalCore } from '../core/index.ts';
import type { GrpcService } from '../rpc/grpc/index.ts';
import { callsOver } from './call.ts';
import { introspectionService } from './introspection/service.ts';
import type { Activations } from './mounts/activations.ts';
import { mountsService } from './mounts/mounts-service.ts';
import { namespacesService } from './namespaces/service.ts';
import { sandboxControllerService } from './sandbox/controller-service.ts';
import type { SandboxHost } from './sandbox/sandbox-host.ts';
import { type StoreServicesOptions, storeServices } from './stores.ts';
import type { TaskHost } from './tasks/task-host.ts';
import { tasksService } from './tasks/tasks-service.ts';
import { versionService } from './version/service.ts';

export interface ContainerdOptions extends StoreServicesOptions {
  readonly core: StoreServicesOptions['core'] & Pick<LocalCore, 'namespaces'>;
  readonly tasks: TaskHost;
  readonly sandboxes: SandboxHost;
  readonly mounts: Activations;
  /** A directory of this daemon's alone, for files on their way. */
  readonly temporary: string;
  readonly log: Logger;
  /** The data root, such as /var/lib/strake. */
  readonly root: string;
  readonly version: string;
  /** Of the sources. */
  readonly revision: string;
}

/** containerd's services over a core. */
export function containerdServices({
  root,
  version,
  revision,
  tasks,
  sandboxes,
  mounts,
  temporary,
  log,
  ...options
}: ContainerdOptions): readonly GrpcService[] {
  const { core, openFileTree } = options;
  const services = [
    ...storeServices(options),
    tasksService({ core, tasks, openFileTree, temporary, log }),
    sandboxControllerService(
      callsOver((namespace) => core.inNamespace(namespace)),
      sandboxes,
    ),
    mountsService(mounts),
    namespacesService(core.namespaces),
    versionService({ version, revision }),
  ];
  return [...services, introspectionService({ root, services, runtimeInfo: async (runtime, options, signal) => await tasks.info(runtime, options, signal) })];
}
