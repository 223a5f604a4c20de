/** Tasks that shims hold, for pods of the runtime classes that name one. Loaded only where there are such. */
import path from 'node:path';
import type { Logger } from '../../base/index.ts';
import { connectTasks } from '../../containerd/index.ts';
import { createOpenFileTree, type LocalCore } from '../../core/index.ts';
import { RemoteTaskManager } from '../../core/tasks/remote/index.ts';
import type { CgroupLayout, Launcher } from '../../kernel/index.ts';
import { type OpenedShims, openShims } from '../containerd/shims.ts';

export interface ShimTasksPlace {
  readonly core: LocalCore;
  /** containerd's, of the pods. */
  readonly namespace: string;
  /** Of the whole program: shims and what they tell are in `cri/shims` below it. */
  readonly state: string;
  readonly execRoot: string;
  readonly launcher: Launcher;
  readonly layout: CgroupLayout;
  readonly availableCapabilities: readonly string[];
  readonly log: Logger;
}

/** With those of the daemon before. */
export async function openShimTasks(
  place: ShimTasksPlace,
  cleanup: AsyncDisposableStack,
): Promise<{ readonly shims: OpenedShims; readonly tasks: RemoteTaskManager }> {
  const { core, namespace, launcher, log } = place;
  const state = path.join(place.state, 'cri/shims');
  // Shims of an earlier run speak to the address that they were told then: it must not depend on flags.
  const shims = await openShims({ state, address: path.join(state, 'events'), launcher, core, log }, cleanup);
  const { containers, events } = core.inNamespace(namespace);
  const services = { core, tasks: shims.tasks, openFileTree: createOpenFileTree(launcher), temporary: path.join(state, 'temporary'), log };
  const tasks = cleanup.use(
    // Each task's container names its shim.
    new RemoteTaskManager({ ...place, connection: connectTasks(services, namespace), containers, events, runtime: { name: '', options: undefined } }),
  );
  await tasks.recover();
  return { shims, tasks };
}
