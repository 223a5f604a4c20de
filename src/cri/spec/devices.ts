import { statSync } from 'node:fs';
import type { criContainer } from '../../api/cri/index.ts';
import { defaultDeviceRules, deviceAt, hostDevices } from '../../core/index.ts';
import type { Device, DeviceRule } from '../../oci/index.ts';
import { invalid, refused } from '../refusals.ts';

export interface PodDevices {
  readonly devices: readonly Device[];
  readonly rules: readonly DeviceRule[];
}

/** What the kubelet's device plugins give to a container; to a privileged one everything that the machine has. */
export function podDevices(wanted: readonly criContainer.Device[], privileged: boolean): PodDevices {
  const given = wanted.flatMap(expand);
  const devices = given.map(({ device }) => device);
  if (!privileged) return { devices, rules: [...defaultDeviceRules, ...given.map(({ rule }) => rule)] };
  return {
    devices: [...new Map([...hostDevices('/dev'), ...devices].map((device) => [device.path, device])).values()],
    rules: [{ allow: true, access: 'rwm' }],
  };
}

function expand({ hostPath, containerPath, permissions }: criContainer.Device): readonly { readonly device: Device; readonly rule: DeviceRule }[] {
  if (!/^[rwm]*$/.test(permissions)) throw invalid(`invalid device permissions ${JSON.stringify(permissions)}`);
  const target = containerPath === '' ? hostPath : containerPath;
  if (!hostPath.startsWith('/') || !target.startsWith('/')) throw invalid(`device ${JSON.stringify(hostPath)} must be an absolute path`);
  const devices = devicesAt(hostPath, target);
  if (devices.length === 0) throw invalid(`${JSON.stringify(hostPath)} is no device`);
  const access = permissions === '' ? 'rwm' : permissions;
  return devices.map((device) => ({
    device,
    rule: {
      allow: true,
      type: device.type,
      ...(device.major === undefined || device.minor === undefined ? {} : { major: device.major, minor: device.minor }),
      access,
    },
  }));
}

/** All below it, when it is a directory. */
function devicesAt(hostPath: string, target: string): readonly Device[] {
  try {
    if (statSync(hostPath).isDirectory()) return hostDevices(hostPath).map((device) => ({ ...device, path: target + device.path.slice(hostPath.length) }));
    const device = deviceAt(hostPath, target);
    return device === undefined ? [] : [device];
  } catch (cause) {
    throw refused('InvalidArgument', `device ${JSON.stringify(hostPath)}: no such file or directory`, {}, cause);
  }
}
