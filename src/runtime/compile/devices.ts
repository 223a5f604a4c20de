import type { Op } from '../../kernel/index.ts';
import type { Device, LinuxSpec, Mount } from '../../oci/index.ts';
import { invalid } from './error.ts';
import { parseMountOptions } from './mount-options.ts';

/** stat(2) file types. */
const fileTypes: Readonly<Record<string, number>> = { c: 0o020000, u: 0o020000, b: 0o060000, p: 0o010000 };
/** mknod_in, field `flags`: bind the host's node, since mknod is refused in a user namespace. */
const bindHostNode = 1;

/** config-linux.md, "Default Devices"; /dev/console is bound by the terminal operation. Numbers: Documentation/admin-guide/devices.txt. */
const defaultDevices: readonly Device[] = (
  [
    ['null', 1, 3],
    ['zero', 1, 5],
    ['full', 1, 7],
    ['random', 1, 8],
    ['urandom', 1, 9],
    ['tty', 5, 0],
  ] as const
).map(([name, major, minor]) => ({ path: `/dev/${name}`, type: 'c', major, minor, fileMode: 0o666, uid: 0, gid: 0 }));

/** config-linux.md, "Default Devices" and runtime-linux.md, "Dev symbolic links". */
const devLinks = [
  ['/proc/self/fd', '/dev/fd'],
  ['/proc/self/fd/0', '/dev/stdin'],
  ['/proc/self/fd/1', '/dev/stdout'],
  ['/proc/self/fd/2', '/dev/stderr'],
] as const;
/** Replaces what an image has of this name: terminals come from the container's own devpts (runc). */
const ptmxPath = '/dev/ptmx';
const replace = 1;
/** Where the kernel has it (runc). */
const coreLink = ['/proc/kcore', '/dev/core'] as const;

export interface DevicePlace {
  /** slot of the root */
  readonly root: number;
  readonly inUserNamespace: boolean;
  readonly kcore: boolean;
}

/** Nodes and links of /dev. A bound /dev is the host's business: nothing is made in it (runc). */
export function deviceOps(linux: LinuxSpec | undefined, mounts: readonly Mount[], place: DevicePlace): readonly Op[] {
  const { root, inUserNamespace, kcore } = place;
  if (isDevBound(mounts)) return [];
  // A device without a path is one for the cgroup alone (runc).
  const given = new Map((linux?.devices ?? []).filter(({ path }) => path !== '' && path !== ptmxPath).map((device) => [device.path, device]));
  const devices = [...defaultDevices.filter(({ path }) => !given.has(path)), ...given.values()];
  return [
    ...devices.map((device) => nodeOp(device, root, inUserNamespace)),
    { op: 'symlink_in', side: 'init', root, target: 'pts/ptmx', path: ptmxPath, flags: replace },
    ...[...devLinks, ...(kcore ? [coreLink] : [])]
      .filter(([, link]) => !given.has(link))
      .map(([target, link]): Op => ({ op: 'symlink_in', side: 'init', root, target, path: link })),
  ];
}

function nodeOp(device: Device, root: number, inUserNamespace: boolean): Op {
  const fileType = fileTypes[device.type];
  if (fileType === undefined) throw invalid('linux.devices', `${device.path} has the unknown type ${JSON.stringify(device.type)}`);
  return {
    op: 'mknod_in',
    side: 'init',
    root,
    path: device.path,
    mode: fileType | ((device.fileMode ?? 0o666) & 0o7777),
    major: device.major ?? 0,
    minor: device.minor ?? 0,
    uid: device.uid ?? 0,
    gid: device.gid ?? 0,
    ...(inUserNamespace && device.type !== 'p' ? { flags: bindHostNode } : {}),
  };
}

/** Whether /dev is the host's: then the runtime makes nothing in it. */
export function isDevBound(mounts: readonly Mount[]): boolean {
  return mounts.some((mount) => isDev(mount.destination) && isBind(mount));
}

const isDev = (destination: string) => destination.replace(/\/+$/, '') === '/dev';
const isBind = (mount: Mount) => mount.type === 'bind' || parseMountOptions(mount.options ?? []).bind !== 'no';
