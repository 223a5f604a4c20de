import { mkdirSync, readdirSync } from 'node:fs';
import { StrakeError } from '../../base/index.ts';
import type { Container } from './container.ts';
import type { ContainerContext } from './context.ts';
import { imageSource } from './image-volumes.ts';
import type { BindSource, TmpfsMount } from './spec/index.ts';

export interface PreparedMounts {
  readonly binds: readonly BindSource[];
  readonly tmpfs: readonly TmpfsMount[];
  /** Volume directories that are to be filled from the image. */
  readonly copyUp: readonly string[];
}

/** Makes what `-v` promises to make and says what is to be bound. */
export function prepareMounts(context: ContainerContext, container: Container): PreparedMounts {
  const binds: BindSource[] = [];
  const tmpfs: TmpfsMount[] = [];
  const copyUp: string[] = [];
  for (const mount of container.document.mounts) {
    if (mount.type === 'tmpfs') tmpfs.push({ destination: mount.destination, options: mount.options });
    else if (mount.type === 'bind') {
      if (mount.createSource) makeSource(mount.source);
      const { source, destination, readonly, recursive, readonlyRecursive, propagation } = mount;
      binds.push({ source, destination, readonly, recursive, readonlyRecursive, propagation });
    } else if (mount.type === 'image') {
      const source = imageSource(context, container.id, mount);
      binds.push({ source, destination: mount.destination, readonly: true, recursive: false, readonlyRecursive: false, propagation: '' });
    } else {
      const source = context.volumes.mountpoint(mount.name);
      // Only before its first start, as Docker does: what a volume lost later stays lost.
      if (mount.copyUp && !container.document.startedBefore && readdirSync(source).length === 0) copyUp.push(source);
      binds.push({ source, destination: mount.destination, readonly: mount.readonly, recursive: true, readonlyRecursive: false, propagation: '' });
    }
  }
  return { binds, tmpfs, copyUp };
}

function makeSource(source: string): void {
  try {
    mkdirSync(source, { recursive: true, mode: 0o755 });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return;
    throw new StrakeError('InvalidArgument', `error while creating mount source path '${source}': ${(cause as Error).message}`, { cause });
  }
}
