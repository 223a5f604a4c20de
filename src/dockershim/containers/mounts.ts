import { criContainer } from '../../api/cri/index.ts';
import type { Engine } from '../engine/engine.ts';
import { notWithEngine, refuse } from '../refuse.ts';

const { MountPropagation } = criContainer;
const propagations: Readonly<Record<number, string>> = {
  [MountPropagation.PROPAGATION_PRIVATE]: 'rprivate',
  [MountPropagation.PROPAGATION_HOST_TO_CONTAINER]: 'rslave',
  [MountPropagation.PROPAGATION_BIDIRECTIONAL]: 'rshared',
};

/** Says what the names of images that are mounted stand for at the moment, in the words of PullImage. NotFound for an image that is not here. */
export async function resolveImages(engine: Engine, mounts: readonly criContainer.Mount[]): Promise<criContainer.Mount[]> {
  return await Promise.all(
    mounts.map(async (mount) => {
      const name = mount.image?.image ?? '';
      return mount.image === undefined || name === '' ? mount : { ...mount, image: { ...mount.image, imageRef: (await engine.image(name)).Id } };
    }),
  );
}

/** A mount of the CRI as `Mounts` of the Engine API has it. */
export function engineMount(mount: criContainer.Mount): Readonly<Record<string, unknown>> {
  if (mount.uidMappings.length > 0 || mount.gidMappings.length > 0) throw notWithEngine('a mount with mapped ids');
  if (mount.mountOptions.length > 0) throw notWithEngine('options of a mount');
  const image = mount.image?.image ?? '';
  if (image !== '') {
    if (!mount.readonly) throw refuse('InvalidArgument', `mount ${JSON.stringify(mount.containerPath)} of an image must be read-only`);
    const options = mount.imageSubPath === '' ? {} : { ImageOptions: { Subpath: mount.imageSubPath } };
    return { Type: 'image', Source: image, Target: mount.containerPath, ReadOnly: true, ...options };
  }
  if (mount.recursiveReadOnly && !(mount.readonly && mount.propagation === MountPropagation.PROPAGATION_PRIVATE))
    throw refuse('InvalidArgument', 'recursive_read_only needs readonly, and private propagation');
  return {
    Type: 'bind',
    Source: mount.hostPath,
    Target: mount.containerPath,
    ReadOnly: mount.readonly,
    BindOptions: {
      Propagation: propagations[mount.propagation] ?? 'rprivate',
      CreateMountpoint: true,
      // Read-only is the mount alone, unless all below it is asked for: then it must be so.
      ...(mount.readonly ? (mount.recursiveReadOnly ? { ReadOnlyForceRecursive: true } : { ReadOnlyNonRecursive: true }) : {}),
    },
  };
}
