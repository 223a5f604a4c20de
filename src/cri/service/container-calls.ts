import { createContainer } from '../containers/create.ts';
import { removeContainer } from '../containers/remove.ts';
import { startContainer } from '../containers/start.ts';
import { containerInfo, containerItem, containerStatus } from '../containers/status.ts';
import { endContainer } from '../containers/stop.ts';
import { updateResources } from '../containers/update.ts';
import type { CriContext } from '../context.ts';
import { chosenContainers } from '../list.ts';
import { invalid, refused } from '../refusals.ts';
import { inMessages, type SomeCalls } from './calls.ts';

type ContainerCalls = SomeCalls<
  | 'createContainer'
  | 'startContainer'
  | 'stopContainer'
  | 'removeContainer'
  | 'listContainers'
  | 'streamContainers'
  | 'containerStatus'
  | 'updateContainerResources'
  | 'reopenContainerLog'
>;

export function containerCalls(context: CriContext): ContainerCalls {
  const { pods, containers } = context.registry;
  return {
    async createContainer({ podSandboxId, config }, { signal }) {
      if (config === undefined) throw invalid('container config must be given');
      return { containerId: (await createContainer(context, pods.get(podSandboxId), config, signal)).id };
    },
    async startContainer({ containerId }, { signal }) {
      await startContainer(context, containers.get(containerId), signal);
      return {};
    },
    async stopContainer({ containerId, timeout }, { signal }) {
      const container = containers.find(containerId);
      if (container !== undefined) await endContainer(container, Number(timeout), signal);
      return {};
    },
    async removeContainer({ containerId }, { signal }) {
      const container = containers.find(containerId);
      if (container !== undefined) await removeContainer(context, container, signal);
      return {};
    },
    listContainers: ({ filter }) => ({ containers: chosenContainers(context, filter).map(containerItem) }),
    async *streamContainers({ filter }) {
      for (const found of inMessages(chosenContainers(context, filter).map(containerItem))) yield { containers: found };
    },
    async containerStatus({ containerId, verbose }) {
      const container = containers.get(containerId);
      return { status: containerStatus(container), info: verbose ? await containerInfo(context, container) : {} };
    },
    async updateContainerResources({ containerId, linux }) {
      if (linux !== undefined) await updateResources(context, containers.get(containerId), linux);
      return {};
    },
    async reopenContainerLog({ containerId }) {
      const { task, lifecycle, id } = containers.get(containerId);
      if (task === undefined || lifecycle.status !== 'running')
        throw refused('FailedPrecondition', `container ${JSON.stringify(id)} is not running`, { container: id });
      await task.reopenLog();
      return {};
    },
  };
}
