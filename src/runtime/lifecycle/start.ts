import { StrakeError } from '../../base/index.ts';
import { parseRuntimeSpec } from '../../oci/index.ts';
import { compileStart } from '../compile/prepared.ts';
import { isAlive, type ProcessIdentity } from '../state/process-identity.ts';
import type { StoredContainer } from '../state/store.ts';
import type { RuntimeContext } from './context.ts';
import { runPoststartHooks } from './hooks.ts';
import { containerStatus } from './status.ts';

/** For the hooks before the execve, which have timeouts of their own, and the execve. */
const startTimeoutMs = 600_000;

/**
 * Lets the process of a created container go. Mostly the front has done so by the prepared program, and this says why it could not. With hooks around the start it
 * returns when they have run; a poststart hook that fails ends the container.
 */
export function startContainer(context: RuntimeContext, id: string): void {
  const { store, launcher } = context;
  const container = store.load(id);
  const status = containerStatus(store, container);
  if (status === 'stopped') throw refuse(id, 'cannot start a container that has stopped');
  if (status !== 'created' || container.init === undefined) throw refuse(id, 'cannot start an already running container');
  const { hooks } = container;
  if (parseRuntimeSpec(store.config(id)).process === undefined) {
    // Its init has nothing to execute, and ends.
    launcher.run(compileStart(store.startFifo(id)));
    throw refuse(id, 'cannot start a container without a process in its configuration');
  }
  if (hooks?.poststart?.length || hooks?.startContainer?.length) startWithHooks(context, container, container.init);
  else launcher.run(compileStart(store.startFifo(id)));
}

function startWithHooks(context: RuntimeContext, container: StoredContainer, init: ProcessIdentity): void {
  const { store, launcher } = context;
  const { id, hooks } = container;
  launcher.run([{ op: 'release', side: 'host', path: store.startFifo(id), timeoutMs: startTimeoutMs }]);
  try {
    runPoststartHooks(context, hooks, container, init.pid);
  } catch (error) {
    if (isAlive(init)) process.kill(init.pid, 'SIGKILL');
    throw error;
  }
}

function refuse(id: string, message: string): StrakeError {
  return new StrakeError('FailedPrecondition', message, { fields: { layer: 'runtime', id } });
}
