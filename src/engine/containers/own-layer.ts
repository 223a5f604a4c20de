import { type SnapshotMount, type SnapshotView, viewSnapshot } from '../../core/index.ts';
import type { Container } from './container.ts';
import type { ContainerContext } from './context.ts';

/** Where a start mounts what Docker has in a layer of its own; made, empty, where an image has nothing. */
export const startMountPoints: readonly string[] = [
  '/etc/hostname',
  '/etc/hosts',
  '/etc/resolv.conf',
  '/proc',
  '/sys',
  '/dev',
  '/dev/pts',
  '/dev/shm',
  '/dev/mqueue',
  '/dev/console',
];

/** A container's files, and those of its image. Until it is disposed of, the image's layers stay. */
export interface OwnLayer extends AsyncDisposable {
  readonly mount: SnapshotMount;
  /** Undefined when it began empty. */
  readonly below: SnapshotMount | undefined;
}

export async function openOwnLayer({ snapshots }: Pick<ContainerContext, 'snapshots'>, { id }: Pick<Container, 'id'>): Promise<OwnLayer> {
  const [mount, { parent }] = [await snapshots.mounts(id), await snapshots.stat(id)];
  const view: SnapshotView | undefined = parent === undefined ? undefined : await viewSnapshot(snapshots, parent);
  return { mount, below: view?.mount, [Symbol.asyncDispose]: async () => await view?.[Symbol.asyncDispose]() };
}
