import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { criContainer } from '../../api/cri/index.ts';
import { StrakeError } from '../../base/index.ts';
import type { CriMount } from '../config/container.ts';
import type { UserNamespace } from '../config/sandbox.ts';
import type { V1Container, V1VolumeMount } from '../kubernetes.ts';
import { expand } from '../pods/expand.ts';
import type { HostMounts, Volume } from './volume.ts';

export interface ContainerMountParts {
  readonly container: V1Container;
  readonly volumes: ReadonlyMap<string, Volume>;
  /** What the runtime knows the images of its volumes by, by their names. */
  readonly images: ReadonlyMap<string, string>;
  readonly environment: ReadonlyMap<string, string>;
  /** The pod's directory. */
  readonly directory: string;
  /** What /etc/hosts is to be. */
  readonly hosts: string;
  /** Whether the runtime can make a mount and all below it read-only. */
  readonly recursiveReadOnly: boolean;
  readonly userns: UserNamespace | undefined;
}

const propagations: Readonly<Record<string, criContainer.MountPropagation>> = {
  None: criContainer.MountPropagation.PROPAGATION_PRIVATE,
  HostToContainer: criContainer.MountPropagation.PROPAGATION_HOST_TO_CONTAINER,
  Bidirectional: criContainer.MountPropagation.PROPAGATION_BIDIRECTIONAL,
};

/** The mounts of a container: its volumes, its /etc/hosts, and the file that it writes its last words into. */
export async function containerMounts(parts: ContainerMountParts, mounts: HostMounts): Promise<readonly CriMount[]> {
  const { container, directory, hosts } = parts;
  const made: CriMount[] = [];
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) made.push(await volumeMount(mount, index, parts, mounts));
  const taken = new Set(made.map(({ containerPath }) => containerPath));
  if (!taken.has('/etc/hosts')) {
    const file = join(directory, 'etc-hosts');
    mkdirSync(directory, { recursive: true, mode: 0o750 });
    writeFileSync(file, hosts, { mode: 0o644 });
    made.push(pathMount('/etc/hosts', file, parts));
  }
  const message = container.terminationMessagePath;
  if (message && !taken.has(message)) {
    const file = join(directory, 'containers', container.name, randomBytes(4).toString('hex'));
    mkdirSync(dirname(file), { recursive: true, mode: 0o750 });
    writeFileSync(file, '');
    // Whoever the container's user is.
    chmodSync(file, 0o666);
    made.push(pathMount(message, file, parts));
  }
  return made;
}

async function volumeMount(mount: V1VolumeMount, index: number, parts: ContainerMountParts, mounts: HostMounts): Promise<CriMount> {
  const { container, volumes, images, environment, directory } = parts;
  const volume = volumes.get(mount.name);
  if (volume === undefined) throw new StrakeError('InvalidArgument', `there is no volume ${JSON.stringify(mount.name)}`, { fields: { layer: 'kubelet' } });
  // Docker and Kubernetes let it be relative to the root.
  const containerPath = mount.mountPath.startsWith('/') ? mount.mountPath : `/${mount.mountPath}`;
  const subPath = mount.subPathExpr === undefined ? (mount.subPath ?? '') : expand(mount.subPathExpr, environment);
  if (volume.kind === 'image')
    return {
      containerPath,
      hostPath: '',
      readonly: true,
      image: { image: images.get(volume.reference) ?? '', userSpecifiedImage: volume.reference },
      imageSubPath: subPath,
    };
  if (subPath.startsWith('/') || subPath.split('/').includes('..') || /\$\(/.test(subPath))
    throw new StrakeError('InvalidArgument', `subPath ${JSON.stringify(subPath)} is no path inside the volume`, { fields: { layer: 'kubelet' } });
  let hostPath = volume.path;
  if (subPath !== '') {
    const place = join(directory, 'volume-subpaths', mount.name, container.name, String(index));
    hostPath = join(place, 'mount');
    // A container that was there before has its own; this one is to see what the path means now.
    await mounts.remove(place);
    await mounts.bindBelow(volume.path, subPath, hostPath);
  }
  const readonly = mount.readOnly === true || volume.readOnly;
  return {
    ...pathMount(containerPath, hostPath, parts),
    readonly,
    propagation: propagations[mount.mountPropagation ?? 'None'] ?? criContainer.MountPropagation.PROPAGATION_PRIVATE,
    recursiveReadOnly: readonly && isRecursive(mount, parts.recursiveReadOnly),
  };
}

function isRecursive({ recursiveReadOnly, name }: V1VolumeMount, can: boolean): boolean {
  if (recursiveReadOnly === 'Enabled' && !can)
    throw new StrakeError('FailedPrecondition', `volume mount ${JSON.stringify(name)} must be read-only recursively, which the runtime cannot do`, {
      fields: { layer: 'kubelet' },
    });
  return can && (recursiveReadOnly === 'Enabled' || recursiveReadOnly === 'IfPossible');
}

function pathMount(containerPath: string, hostPath: string, { userns }: ContainerMountParts) {
  return { containerPath, hostPath, ...(userns === undefined ? {} : { uidMappings: [...(userns.uids ?? [])], gidMappings: [...(userns.gids ?? [])] }) };
}
