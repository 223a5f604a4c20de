import type { Snapshotter } from '../core/index.ts';

/** Docker's name for how the layers are kept: stacked, or each a copy. */
export function storageDriver({ name }: Pick<Snapshotter, 'name'>): 'overlay2' | 'vfs' {
  return name === 'native' ? 'vfs' : 'overlay2';
}
