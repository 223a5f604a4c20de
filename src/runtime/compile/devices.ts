import type { Op } from '../../kernel/index.ts';
import type { Device, IdMapping, LinuxSpec, Mount } from '../../oci/index.ts';
import { invalid } from './error.ts';
import { parseMountOptions } from './mount-options.ts';

/** stat(2) file types. */
const fileTypes: Readonly<Record<string, number>> = { c: 0o020000, u: 0o020000, b: 0o060000, p: 0o010000 };
/** mknod_in and symlink_in, field `flags`: `bind` is for user namespaces, where mknod is refused; /dev itself must not be a link (CVE-2026-47766). */
const nodeFlags = { bind: 1, noLinks: 2 } as const;

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
  /** slot of the mount helper, which makes devices as they were asked for where the id maps are known; else they are the host's */
  readonly helper: number | undefined;
  readonly kcore: boolean;
}

/** Nodes and links of /dev. A bound /dev is the host's business: nothing is made in it (runc). */
export function deviceOps(linux: LinuxSpec | undefined, mounts: readonly Mount[], place: DevicePlace): readonly Op[] {
  const { root, kcore } = place;
  if (isDevBound(mounts)) return [];
  // A device without a path is one for the cgroup alone (runc).
  const given = new Map((linux?.devices ?? []).filter(({ path }) => path !== '' && path !== ptmxPath).map((device) => [device.path, device]));
  const devices = [...defaultDevices.filter(({ path }) => !given.has(path)), ...given.values()];
  return [
    ...devices.map((device) => nodeOp(device, linux, { ...place, helper: given.has(device.path) ? place.helper : undefined })),
    { op: 'symlink_in', side: 'init', root, target: 'pts/ptmx', path: ptmxPath, flags: replace | nodeFlags.noLinks },
    ...[...devLinks, ...(kcore ? [coreLink] : [])]
      .filter(([, link]) => !given.has(link))
      .map(([target, link]): Op => ({ op: 'symlink_in', side: 'init', root, target, path: link, flags: nodeFlags.noLinks })),
  ];
}

function nodeOp(device: Device, linux: LinuxSpec | undefined, { root, inUserNamespace, helper }: DevicePlace): Op {
  const fileType = fileTypes[device.type];
  if (fileType === undefined) throw invalid('linux.devices', `${device.path} has the unknown type ${JSON.stringify(device.type)}`);
  const isBound = inUserNamespace && device.type !== 'p';
  const byHelper = isBound && helper !== undefined;
  const [uid, gid] = [device.uid ?? 0, device.gid ?? 0];
  return {
    op: 'mknod_in',
    side: 'init',
    root,
    path: device.path,
    mode: fileType | ((device.fileMode ?? 0o666) & 0o7777),
    major: device.major ?? 0,
    minor: device.minor ?? 0,
    uid: byHelper ? hostId('uid', device, uid, linux?.uidMappings) : uid,
    gid: byHelper ? hostId('gid', device, gid, linux?.gidMappings) : gid,
    flags: (isBound ? nodeFlags.bind : 0) | (device.path.startsWith('/dev/') ? nodeFlags.noLinks : 0),
    ...(byHelper ? { helper } : {}),
  };
}

/** The helper is not in the user namespace. */
function hostId(name: string, { path }: Device, id: number, mappings: readonly IdMapping[] = []): number {
  const mapping = mappings.find(({ containerID, size }) => id >= containerID && id < containerID + size);
  if (mapping === undefined) throw invalid('linux.devices', `${path} has the ${name} ${id}, which the user namespace does not map`);
  return mapping.hostID + id - mapping.containerID;
}

/** Whether /dev is the host's: then the runtime makes nothing in it. */
export function isDevBound(mounts: readonly Mount[]): boolean {
  return mounts.some((mount) => isDev(mount.destination) && isBind(mount));
}

const isDev = (destination: string) => destination.replace(/\/+$/, '') === '/dev';
const isBind = (mount: Mount) => mount.type === 'bind' || parseMountOptions(mount.options ?? []).bind !== 'no';
