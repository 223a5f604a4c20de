import type { HostConfig } from '../../../api/docker/index.ts';
import type { Namespace } from '../../../oci/index.ts';

/** Namespaces of other containers that this one is in: paths of /proc/PID/ns. */
export interface JoinedNamespaces {
  readonly network?: string;
  readonly ipc?: string;
  readonly pid?: string;
}

export const containerMode = /^container:(.+)$/s;

type Modes = Pick<HostConfig, 'NetworkMode' | 'IpcMode' | 'PidMode' | 'UTSMode' | 'CgroupnsMode'>;

/** A namespace that is the host's is not named at all. */
export function namespaces(modes: Modes, joined: JoinedNamespaces): readonly Namespace[] {
  const made: Namespace[] = [{ type: 'mount' }];
  const add = (type: Namespace['type'], mode: string, path: string | undefined) => {
    if (path !== undefined) made.push({ type, path });
    else if (mode !== 'host') made.push({ type });
  };
  add('network', modes.NetworkMode, joined.network);
  add('uts', modes.UTSMode, undefined);
  add('ipc', modes.IpcMode, joined.ipc);
  add('pid', modes.PidMode, joined.pid);
  add('cgroup', modes.CgroupnsMode, undefined);
  return made;
}
