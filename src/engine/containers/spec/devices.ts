import { lstatSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import path from 'node:path';
import type { DeviceMapping } from '../../../api/docker/index.ts';
import { StrakeError } from '../../../base/index.ts';
import type { Device, DeviceRule } from '../../../oci/index.ts';

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

export interface ChosenDevices {
  readonly devices: readonly Device[];
  readonly rules: readonly DeviceRule[];
}

/** Devices of `--device`, `--device-cgroup-rule` and `--privileged`. Looks at the host's /dev. */
export function chooseDevices(options: {
  readonly privileged: boolean;
  readonly mappings: readonly DeviceMapping[];
  readonly cgroupRules: readonly string[];
}): ChosenDevices {
  if (options.privileged) {
    const host = hostDevices('/dev');
    const mapped = options.mappings.flatMap(mappedDevices).map(({ device }) => device);
    return { devices: [...new Map([...host, ...mapped].map((device) => [device.path, device])).values()], rules: [{ allow: true, access: 'rwm' }] };
  }
  const mapped = options.mappings.flatMap(mappedDevices);
  return {
    devices: mapped.map(({ device }) => device),
    rules: [...defaultDeviceRules, ...mapped.map(({ rule }) => rule), ...options.cgroupRules.map(parseCgroupRule)],
  };
}

/** Major and minor of a dev_t (glibc's encoding). */
export function deviceNumbers(rdev: number): { readonly major: number; readonly minor: number } {
  const value = BigInt(rdev);
  return { major: Number(((value >> 8n) & 0xfffn) | ((value >> 32n) & ~0xfffn)), minor: Number((value & 0xffn) | ((value >> 12n) & ~0xffn & 0xffffffffn)) };
}

function mappedDevices({ PathOnHost, PathInContainer, CgroupPermissions }: DeviceMapping): readonly { readonly device: Device; readonly rule: DeviceRule }[] {
  if (!/^[rwm]*$/.test(CgroupPermissions)) throw new StrakeError('InvalidArgument', `invalid device permissions ${JSON.stringify(CgroupPermissions)}`);
  const access = CgroupPermissions === '' ? 'rwm' : CgroupPermissions;
  const target = PathInContainer === '' ? PathOnHost : PathInContainer;
  let directory = false;
  try {
    directory = statSync(PathOnHost).isDirectory();
  } catch {
    throw gathering(PathOnHost, 'no such file or directory');
  }
  if (!directory) {
    const device = deviceAt(PathOnHost, target);
    if (device === undefined) throw gathering(PathOnHost, 'not a device node');
    return [{ device, rule: ruleFor(device, access) }];
  }
  const devices = hostDevices(PathOnHost).map((device) => ({ ...device, path: target + device.path.slice(PathOnHost.length) }));
  if (devices.length === 0) throw gathering(PathOnHost, 'no devices found');
  return devices.map((device) => ({ device, rule: ruleFor(device, access) }));
}

/** moby's oci.DevicesFromPath. */
function gathering(host: string, why: string): StrakeError {
  return new StrakeError('InvalidArgument', `error gathering device information while adding custom device ${JSON.stringify(host)}: ${why}`);
}

function ruleFor(device: Device, access: string): DeviceRule {
  return { allow: true, type: device.type, major: device.major ?? 0, minor: device.minor ?? 0, access };
}

/** Names that are mounts, links or made for each container (containerd oci.HostDevices). */
const skipped = new Set(['pts', 'shm', 'fd', 'mqueue', '.lxc', '.lxd-mounts', '.udev', 'console']);

function hostDevices(directory: string): readonly Device[] {
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

function deviceAt(host: string, target: string): Device | undefined {
  const resolved = lstatSync(host).isSymbolicLink() ? path.resolve(path.dirname(host), readlinkSync(host)) : host;
  const stat = statSync(resolved);
  const kind = stat.mode & typeMask;
  if (kind !== characterDevice && kind !== blockDevice) return undefined;
  return { path: target, type: kind === blockDevice ? 'b' : 'c', ...deviceNumbers(stat.rdev), fileMode: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid };
}

/** `c 42:* rmw` (devices cgroup syntax). */
function parseCgroupRule(text: string): DeviceRule {
  const match = /^([acb]) ([0-9]+|\*):([0-9]+|\*) ([rwm]{1,3})$/.exec(text);
  if (match === null) throw new StrakeError('InvalidArgument', `invalid device cgroup rule format: '${text}'`);
  const number = (value: string | undefined) => (value === undefined || value === '*' ? -1 : Number(value));
  return { allow: true, type: match[1] ?? 'a', major: number(match[2]), minor: number(match[3]), access: match[4] ?? '' };
}
