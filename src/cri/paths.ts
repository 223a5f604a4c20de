import path from 'node:path';

/** Where things of pods and containers are. */
export interface CriPaths {
  /** What outlives a restart of the machine, and what does not. */
  readonly root: string;
  readonly state: string;
}

/** Files of a pod that its containers see, and what keeps its namespaces. */
export function podPaths({ root, state }: CriPaths, podId: string) {
  const directory = path.join(root, 'pods', podId);
  return {
    directory,
    hostname: path.join(directory, 'hostname'),
    hosts: path.join(directory, 'hosts'),
    resolvConf: path.join(directory, 'resolv.conf'),
    namespaces: path.join(state, 'pods', podId),
  };
}

export function containerPaths({ root }: CriPaths, containerId: string) {
  const directory = path.join(root, 'containers', containerId);
  return { directory, status: path.join(directory, 'status.json'), volumes: path.join(directory, 'volumes'), restore: path.join(directory, 'restore') };
}
