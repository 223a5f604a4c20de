import type { HostConfig, Resources, RestartPolicy } from '../../api/docker/index.ts';
import { StrakeError } from '../../base/index.ts';
import { checkResources, checkRestartPolicy } from './check-host-config.ts';
import type { ContainerContext } from './context.ts';
import { publish } from './publish.ts';
import { save } from './save.ts';
import { resourceSpec } from './spec/index.ts';

export interface UpdateContainer {
  /** Those given; the others stay. */
  readonly limits: Partial<Resources>;
  readonly restartPolicy?: RestartPolicy;
}

/** Changes limits and restart policy, of a running container at once. */
export async function updateContainer(context: ContainerContext, reference: string, { limits, restartPolicy }: UpdateContainer): Promise<void> {
  const container = context.registry.get(reference);
  await container.mutex.run(async () => {
    const { hostConfig } = container.document;
    const policy = restartPolicy === undefined || restartPolicy.Name === '' ? hostConfig.RestartPolicy : restartPolicy;
    checkRestartPolicy(policy);
    if (hostConfig.AutoRemove && policy.Name !== 'no')
      throw new StrakeError('InvalidArgument', `Restart policy cannot be updated because AutoRemove is enabled for the container`);
    const updated: HostConfig = { ...hostConfig, ...limits, RestartPolicy: policy };
    checkResources(updated, true);
    if (limits.Memory !== undefined && limits.MemorySwap === undefined && hostConfig.MemorySwap > 0 && limits.Memory > hostConfig.MemorySwap)
      throw new StrakeError('FailedPrecondition', 'Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time');
    if (container.running && Object.keys(limits).length > 0) await container.task?.update(resourceSpec(limits, []));
    container.change({ hostConfig: updated });
    await save(context, container);
    publish(context, container, 'update');
  });
}
