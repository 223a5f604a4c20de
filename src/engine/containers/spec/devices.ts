import { statSync } from 'node:fs';
import type { DeviceMapping } from '../../../api/docker/index.ts';
import { StrakeError } from '../../../base/index.ts';
import { defaultDeviceRules, deviceAt, hostDevices } from '../../../core/index.ts';
import type { Device, DeviceRule } from '../../../oci/index.ts';

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

/** `c 42:* rmw` (devices cgroup syntax). */
function parseCgroupRule(text: string): DeviceRule {
  const match = /^([acb]) ([0-9]+|\*):([0-9]+|\*) ([rwm]{1,3})$/.exec(text);
  if (match === null) throw new StrakeError('InvalidArgument', `invalid device cgroup rule format: '${text}'`);
  const number = (value: string | undefined) => (value === undefined || value === '*' ? -1 : Number(value));
  return { allow: true, type: match[1] ?? 'a', major: number(match[2]), minor: number(match[3]), access: match[4] ?? '' };
}
