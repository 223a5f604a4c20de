import { readLiveLimits, updateOperations } from '../../kernel/index.ts';
import type { ResourcesSpec } from '../../oci/index.ts';
import { storedLayout } from './cgroup.ts';
import type { RuntimeContext } from './context.ts';
import { notRunning } from './kill.ts';
import { containerStatus } from './status.ts';

/** Changes the limits of a container that has not ended. */
export function updateContainer({ store, launcher }: RuntimeContext, id: string, resources: ResourcesSpec): void {
  const container = store.load(id);
  if (containerStatus(store, container) === 'stopped') throw notRunning(id);
  const layout = storedLayout(container.cgroup);
  launcher.run(updateOperations(layout, container.cgroup.path, resources, readLiveLimits(layout, container.cgroup.path)));
}
