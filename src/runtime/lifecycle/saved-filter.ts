import type { Op, SeccompFilter } from '../../kernel/index.ts';
import type { StateStore } from '../state/store.ts';

/** `STRKBPF1`, u32 flags of the filter, u32 bytes of the filter (little endian), the filter, and the text of the configuration that it was compiled from. */
const magic = 'STRKBPF1';
const headerBytes = 16;
/** SECCOMP_FILTER_FLAG_NEW_LISTENER */
const newListener = 8;

/** Leaves the filter of a created container beside its state, for every `exec` that loads it again: compiling it takes longer than all else that an exec does. */
export function saveFilter(store: StateStore, id: string, config: string, operations: readonly Op[]): void {
  const op = operations.find((one) => one.op === 'seccomp');
  if (op === undefined) return;
  const header = Buffer.alloc(headerBytes);
  header.write(magic, 'latin1');
  header.writeUInt32LE(op.flags ?? 0, magic.length);
  header.writeUInt32LE(op.filter.length, magic.length + 4);
  store.writeFilter(id, Buffer.concat([header, op.filter, Buffer.from(config)]));
}

/** The filter that was saved with this very configuration; undefined when there is none. */
export function savedFilter(store: StateStore, id: string, config: string): SeccompFilter | undefined {
  const data = store.readFilter(id);
  if (data === undefined || data.length < headerBytes || data.toString('latin1', 0, magic.length) !== magic) return undefined;
  const flags = data.readUInt32LE(magic.length);
  const end = headerBytes + data.readUInt32LE(magic.length + 4);
  if (data.toString('utf8', end) !== config) return undefined;
  return { filter: data.subarray(headerBytes, end), flags, notifies: (flags & newListener) !== 0 };
}
