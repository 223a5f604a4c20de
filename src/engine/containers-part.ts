import type { ContainerSummary } from '../api/docker/index.ts';
import { StrakeError } from '../base/index.ts';
import { Containers, type ContainersOptions } from './containers/index.ts';
import type { ContainersPart } from './engine.ts';
import type { NetworkMember } from './networks/index.ts';
import { Filters, type Route } from './server/index.ts';

/** Containers as the Engine's other parts see them. */
export async function createContainersPart(options: ContainersOptions, routesOf: (containers: Containers) => readonly Route[]): Promise<ContainersPart> {
  const containers = new Containers(options);
  return {
    routes: routesOf(containers),
    counts: () => containers.counts(),
    summaries: async () => await containers.list({ all: true, size: true, filters: noFilters }),
    imageUsers: (imageId) => containers.imageUsers(imageId),
    commit: async (reference, options, make) => await containers.commit(reference, options, make),
    networkMembers: async () => membersOf(await containers.list({ all: false, size: false, filters: noFilters })),
    connectNetwork: cannotChange,
    disconnectNetwork: cannotChange,
    async recover() {
      await options.tasks.recover();
      await containers.recover();
    },
  };
}

const noFilters = new Filters(new Map());

function membersOf(containers: readonly ContainerSummary[]): readonly NetworkMember[] {
  return containers.flatMap(({ Id: containerId, Names: [name = ''], NetworkSettings: { Networks: networks } }) =>
    Object.entries(networks).map(([network, endpoint]) => ({ network, containerId, containerName: name.replace(/^\//, ''), endpoint })),
  );
}

async function cannotChange(): Promise<never> {
  throw new StrakeError('Unimplemented', 'a container gets its networks when it is created: connect and disconnect are not available');
}
