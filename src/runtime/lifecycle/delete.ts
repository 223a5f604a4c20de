import { isCode, StrakeError } from '../../base/index.ts';
import { cgroupCleanup } from '../../kernel/index.ts';
import { compileDelete } from '../compile/prepared.ts';
import { leaveResctrl } from '../compile/resctrl.ts';
import type { StoredContainer } from '../state/store.ts';
import { endCreation } from './abandoned.ts';
import type { RuntimeContext } from './context.ts';
import { runPoststopHooks } from './hooks.ts';
import { containerStatus } from './status.ts';

/** Removes a stopped or only created container; with `force` a running one, after SIGKILL, and a missing one silently. */
export function deleteContainer(context: RuntimeContext, id: string, force: boolean): void {
  const { store, launcher } = context;
  let container: StoredContainer;
  try {
    container = store.load(id);
  } catch (error) {
    if (!isCode(error, 'NotFound')) throw error;
    // A `create` that was killed before it made anything else.
    store.remove(id);
    if (force) return;
    throw error;
  }
  const status = containerStatus(store, container);
  if (status !== 'stopped' && status !== 'created' && !force)
    throw new StrakeError('FailedPrecondition', `cannot delete container ${id} that is not stopped: ${status}`, { fields: { layer: 'runtime', id } });
  if (container.init === undefined) endCreation(context, container);
  const groups = [...cgroupCleanup(container.cgroup), ...(container.resctrl === undefined ? [] : leaveResctrl(container.resctrl))];
  const removal = { init: container.init, cgroupCleanup: groups, stateDirectory: store.directory(id) };
  launcher.run(compileDelete(removal, { kill: true }));
  runPoststopHooks(context, container.hooks, container);
}
