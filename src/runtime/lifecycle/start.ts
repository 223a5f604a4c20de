import { StrakeError } from '../../base/index.ts';
import { compileStart } from '../compile/prepared.ts';
import type { RuntimeContext } from './context.ts';
import { containerStatus } from './status.ts';

/** Lets the process of a created container go. Mostly the front has done so by the prepared program, and this says why it could not. */
export function startContainer({ store, launcher }: RuntimeContext, id: string): void {
  const container = store.load(id);
  const status = containerStatus(store, container);
  if (status === 'stopped') throw refuse(id, 'cannot start a container that has stopped');
  if (status !== 'created') throw refuse(id, 'cannot start an already running container');
  launcher.run(compileStart(store.startFifo(id)));
}

function refuse(id: string, message: string): StrakeError {
  return new StrakeError('FailedPrecondition', message, { fields: { layer: 'runtime', id } });
}
