import { criLinux, type criTypes } from '../../api/cri/index.ts';
import type { IdMapping, LinuxSpec, Namespace } from '../../oci/index.ts';
import type { PodNamespaces } from '../pods/pod.ts';
import { invalid } from '../refusals.ts';

const { NamespaceMode: Mode } = criLinux;
const mostMappings = 340;

export interface JoinedNamespaces {
  readonly pod: PodNamespaces;
  /** Of the container whose processes this one sees, when it names one. */
  readonly targetPid?: string;
  readonly ownCgroupNamespace: boolean;
}

/** Those of the pod, and the container's own. */
export function containerNamespaces(
  options: criLinux.NamespaceOption | undefined,
  { pod, targetPid, ownCgroupNamespace }: JoinedNamespaces,
): readonly Namespace[] {
  const joined = (type: Namespace['type'], path: string | undefined): readonly Namespace[] => (path === undefined ? [] : [{ type, path }]);
  return [
    { type: 'mount' },
    ...joined('user', pod.user),
    ...joined('network', pod.network),
    ...joined('ipc', pod.ipc),
    ...joined('uts', pod.uts),
    ...processNamespace(options?.pid ?? Mode.POD, pod, targetPid),
    ...(ownCgroupNamespace ? [{ type: 'cgroup' } as const] : []),
  ];
}

function processNamespace(mode: criLinux.NamespaceMode, pod: PodNamespaces, targetPid: string | undefined): readonly Namespace[] {
  switch (mode) {
    case Mode.CONTAINER:
      return [{ type: 'pid' }];
    case Mode.NODE:
      return [];
    case Mode.TARGET:
      if (targetPid === undefined) throw invalid('the container whose processes are to be seen is not named');
      return [{ type: 'pid', path: targetPid }];
    default:
      // A pod that shares the machine's has none.
      return pod.pid === undefined ? [] : [{ type: 'pid', path: pod.pid }];
  }
}

/** Whether the pod has a user namespace, with maps that make sense. */
export function userMappings(options: criLinux.UserNamespace | undefined): Pick<LinuxSpec, 'uidMappings' | 'gidMappings'> | undefined {
  if (options === undefined) return undefined;
  const { mode, uids, gids } = options;
  if (mode === Mode.NODE) {
    if (uids.length > 0 || gids.length > 0) throw invalid('can’t use user namespace mode NODE with mappings');
    return undefined;
  }
  if (mode !== Mode.POD) throw invalid(`unsupported user namespace mode: ${mode}`);
  if (uids.length === 0 || gids.length === 0) throw invalid('a user namespace needs mappings of users and of groups');
  if (uids.length > mostMappings || gids.length > mostMappings) throw invalid(`more than ${mostMappings} mappings`);
  return { uidMappings: uids.map(idMapping), gidMappings: gids.map(idMapping) };
}

export function idMapping({ hostId, containerId, length }: criTypes.IDMapping): IdMapping {
  return { hostID: hostId, containerID: containerId, size: length };
}
