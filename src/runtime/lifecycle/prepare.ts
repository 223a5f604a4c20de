import { encodeProgram, opsHash } from '../../kernel/index.ts';
import type { RuntimeSpec } from '../../oci/index.ts';
import { compileDelete, compileStart, type Removal } from '../compile/prepared.ts';
import type { StateStore } from '../state/store.ts';

/**
 * Leaves the programs of `start` and `delete` beside the container's state, for the front to run them without this process (native/prepared.c). Not where hooks
 * would run: a program that fails half-way is tried again as a whole. Nor a start without a process, which is an error.
 */
export function prepareVerbs(
  store: StateStore,
  id: string,
  { hooks, process }: Pick<RuntimeSpec, 'hooks' | 'process'>,
  removal: Removal,
  waitsForStart: boolean,
): void {
  const hash = Buffer.from(opsHash);
  const leave = (name: string, operations: Parameters<typeof encodeProgram>[0]) =>
    store.writeProgram(id, name, Buffer.concat([hash, encodeProgram(operations)]));
  if (waitsForStart && process !== undefined && !hooks?.startContainer?.length && !hooks?.poststart?.length) leave('start', compileStart(store.startFifo(id)));
  if (hooks?.poststop?.length) return;
  leave('delete', compileDelete(removal, { kill: false }));
  leave('delete-force', compileDelete(removal, { kill: true }));
}
