import type { ContainerConfig } from '../../api/docker/index.ts';
import { StrakeError } from '../../base/index.ts';
import type { SnapshotMount } from '../../core/index.ts';
import type { ContainerContext } from './context.ts';
import { openOwnLayer, startMountPoints } from './own-layer.ts';
import { pauseContainer, unpauseContainer } from './pause.ts';
import { publish } from './publish.ts';

/** What an image is made of a container from. */
export interface CommitSource {
  readonly id: string;
  /** `sha256:…` of the image that it was made from. */
  readonly imageId: string;
  readonly config: ContainerConfig;
  /** Its root filesystem as it is, and that of its image: undefined when that has no layers. */
  readonly mount: SnapshotMount;
  readonly below: SnapshotMount | undefined;
  /** What a start made in it to mount something there. */
  readonly mountPoints: readonly string[];
}

export interface CommitResult {
  readonly imageId: string;
  /** Familiar; empty without a name. */
  readonly imageName: string;
  readonly comment: string;
}

/** Has `make` read a container that, if wished, does not run meanwhile. */
export async function commitContainer(
  context: ContainerContext,
  reference: string,
  options: { readonly pause: boolean },
  make: (source: CommitSource) => Promise<CommitResult>,
): Promise<CommitResult> {
  const container = context.registry.get(reference);
  const { status } = container.lifecycle;
  if (status === 'dead') throw new StrakeError('FailedPrecondition', `You cannot commit container ${container.id} which is Dead`);
  if (status === 'removing') throw new StrakeError('FailedPrecondition', `You cannot commit container ${container.id} which is being removed`);
  const paused = options.pause && status === 'running';
  if (paused) await pauseContainer(context, container.id);
  try {
    await using own = await openOwnLayer(context, container);
    const { mount, below } = own;
    const { imageId, config } = container.document;
    const result = await make({ id: container.id, imageId, config, mount, below, mountPoints: startMountPoints });
    publish(context, container, 'commit', { comment: result.comment, imageID: result.imageId, imageRef: result.imageName });
    return result;
  } finally {
    if (paused && container.lifecycle.status === 'paused') await unpauseContainer(context, container.id);
  }
}
