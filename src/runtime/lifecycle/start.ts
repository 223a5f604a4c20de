import { closeSync, constants, openSync, rmSync, writeSync } from 'node:fs';
import { StrakeError } from '../../base/index.ts';
import type { RuntimeContext } from './context.ts';
import { containerStatus } from './status.ts';

/** Lets the process of a created container go. */
export function startContainer({ store }: RuntimeContext, id: string): void {
  const container = store.load(id);
  const status = containerStatus(store, container);
  if (status === 'stopped') throw refuse(id, 'cannot start a container that has stopped');
  if (status !== 'created') throw refuse(id, 'cannot start an already running container');
  const fifo = store.startFifo(id);
  // Non-blocking: without a reader the process has died since, and the open fails with ENXIO.
  const descriptor = openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK);
  try {
    writeSync(descriptor, '0');
  } finally {
    closeSync(descriptor);
  }
  rmSync(fifo, { force: true });
}

function refuse(id: string, message: string): StrakeError {
  return new StrakeError('FailedPrecondition', message, { fields: { layer: 'runtime', id } });
}
