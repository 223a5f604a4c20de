import type { MessageInitShape } from '@bufbuild/protobuf';
import { criRuntime } from '../api/cri/index.ts';
import type { EventMessage } from '../api/docker/index.ts';
import type { Containers } from './containers/containers.ts';
import type { Engine } from './engine/engine.ts';
import { sandboxIdLabel, typeLabel } from './engine/labels.ts';
import type { Sandboxes } from './sandboxes/sandboxes.ts';

const { ContainerEventType } = criRuntime;
const types: Readonly<Record<string, criRuntime.ContainerEventType>> = {
  create: ContainerEventType.CONTAINER_CREATED_EVENT,
  start: ContainerEventType.CONTAINER_STARTED_EVENT,
  die: ContainerEventType.CONTAINER_STOPPED_EVENT,
  destroy: ContainerEventType.CONTAINER_DELETED_EVENT,
};

/** What happens to pods and containers from now on, as the engine tells it, with what is known of the pod by then. */
export async function* containerEvents(
  engine: Engine,
  sandboxes: Sandboxes,
  containers: Containers,
  signal: AbortSignal,
): AsyncGenerator<MessageInitShape<typeof criRuntime.ContainerEventResponseSchema>> {
  const filters = JSON.stringify({ type: ['container'], event: Object.keys(types) });
  for await (const { Action, Actor, time } of engine.client.lines<EventMessage>('GET', '/events', { query: { filters }, signal })) {
    const type = Actor.Attributes[typeLabel];
    const containerEventType = types[Action];
    if (containerEventType === undefined || (type !== 'podsandbox' && type !== 'container')) continue;
    const podId = type === 'podsandbox' ? Actor.ID : (Actor.Attributes[sandboxIdLabel] ?? '');
    const podSandboxStatus = await sandboxes.status(podId).catch(() => undefined);
    const inPod = await engine.list('container', { sandboxId: podId });
    const statuses = await Promise.all(inPod.map(async ({ Id }) => await containers.status(Id).catch(() => undefined)));
    yield {
      containerId: Actor.ID,
      containerEventType,
      createdAt: BigInt(time) * 1_000_000_000n,
      ...(podSandboxStatus === undefined ? {} : { podSandboxStatus }),
      containersStatuses: statuses.filter((status) => status !== undefined),
    };
  }
}
