import { lstatSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Device, DeviceRule } from '../../oci/index.ts';

/** stat(2) */
const typeMask = 0o170000;
const characterDevice = 0o020000;
const blockDevice = 0o060000;

/** What a container may use without being told (moby oci/defaults.go): nothing but these, though it may mknod anything. */
export const defaultDeviceRules: readonly DeviceRule[] = [
  { allow: false, access: 'rwm' },
  { allow: true, type: 'c', access: 'm' },
  { allow: true, type: 'b', access: 'm' },
  ...(
    [
      [1, 5],
      [1, 3],
      [1, 9],
      [1, 8],
      [1, 7],
      [5, 0],
      [5, 1],
      [5, 2],
    ] as const
  ).map(([major, minor]) => ({ allow: true, type: 'c', major, minor, access: 'rwm' })),
  { allow: true, type: 'c', major: 136, access: 'rwm' },
];

/** Major and minor of a dev_t (glibc's encoding). */
export function deviceNumbers(rdev: number): { readonly major: number; readonly minor: number } {
  const value = BigInt(rdev);
  return { major: Number(((value >> 8n) & 0xfffn) | ((value >> 32n) & ~0xfffn)), minor: Number((value & 0xffn) | ((value >> 12n) & ~0xffn & 0xffffffffn)) };
}

/** Names that are mounts, links or made for each container (containerd oci.HostDevices). */
const skipped = new Set(['pts', 'shm', 'fd', 'mqueue', '.lxc', '.lxd-mounts', '.udev', 'console']);

/** Every device node below a directory of the machine. */
export function hostDevices(directory: string): readonly Device[] {
  const found: Device[] = [];
  for (const name of readdirSync(directory)) {
    if (skipped.has(name)) continue;
    const at = path.join(directory, name);
    try {
      if (lstatSync(at).isDirectory()) found.push(...hostDevices(at));
      else {
        const device = lstatSync(at).isSymbolicLink() ? undefined : deviceAt(at, at);
        if (device !== undefined) found.push(device);
      }
    } catch {
      // Went away, or cannot be read: then it is no device for a container.
    }
  }
  return found;
}

/** The device that a path of the machine is, or is a link to; undefined for anything else. Throws where there is nothing. */
export function deviceAt(host: string, target: string): Device | undefined {
  const resolved = lstatSync(host).isSymbolicLink() ? path.resolve(path.dirname(host), readlinkSync(host)) : host;
  const stat = statSync(resolved);
  const kind = stat.mode & typeMask;
  if (kind !== characterDevice && kind !== blockDevice) return undefined;
  return { path: target, type: kind === blockDevice ? 'b' : 'c', ...deviceNumbers(stat.rdev), fileMode: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid };
}
