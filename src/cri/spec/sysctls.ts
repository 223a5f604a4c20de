import { criLinux, type criPod } from '../../api/cri/index.ts';
import { invalid } from '../refusals.ts';

const { NamespaceMode: Mode } = criLinux;
const ipcNames = new Set('msgmax msgmnb msgmni sem shmall shmmax shmmni shm_rmid_forced'.split(' ').map((name) => `kernel/${name}`));

/**
 * Those of the pod's own namespaces, as paths below /proc/sys: one of the machine's would change it for everybody. A value is one value
 * (CVE-2022-0811: `+` and line breaks smuggled in others).
 */
export function podSysctls(config: criPod.PodSandboxConfig): Readonly<Record<string, string>> {
  const options = config.linux?.securityContext?.namespaceOptions;
  const ownNetwork = options?.network !== Mode.NODE;
  const ownIpc = options?.ipc !== Mode.NODE;
  const checked: Record<string, string> = {};
  for (const [key, value] of Object.entries(config.linux?.sysctls ?? {})) {
    if (/[\n\0=+]/.test(value) || !/^[\w./-]+$/.test(key) || key.includes('..') || key.startsWith('/'))
      throw invalid(`invalid sysctl ${JSON.stringify(`${key}=${value}`)}`);
    const path = pathOf(key);
    // The uts namespace is the pod's when its network is.
    const isOwn = path.startsWith('net/')
      ? ownNetwork
      : ipcNames.has(path) || path.startsWith('fs/mqueue/')
        ? ownIpc
        : path === 'kernel/domainname' && ownNetwork;
    if (!isOwn) throw invalid(`sysctl ${JSON.stringify(key)} is not of a namespace that the pod has for itself`);
    checked[path] = value;
  }
  return checked;
}

/** sysctl(8): dots separate, or slashes when a slash comes first; the other one is part of a name then. */
function pathOf(key: string): string {
  return /[./]/.exec(key)?.[0] === '/' ? key : key.replace(/[./]/g, (mark) => (mark === '.' ? '/' : '.'));
}
