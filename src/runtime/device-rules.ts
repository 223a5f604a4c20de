import type { DeviceRule, ResourcesSpec } from '../oci/index.ts';

/** What every container may do, whatever its rules say: make nodes, and use the default devices (runc's AllowedDevices; config-linux.md). */
const alwaysAllowed: readonly DeviceRule[] = [
  { allow: true, type: 'c', access: 'm' },
  { allow: true, type: 'b', access: 'm' },
  ...[
    [1, 3],
    [1, 5],
    [1, 7],
    [1, 8],
    [1, 9],
    [5, 0],
    [5, 2],
    [10, 200], // /dev/net/tun
  ].map(([major, minor]): DeviceRule => ({ allow: true, type: 'c', major: major ?? 0, minor: minor ?? 0, access: 'rwm' })),
  { allow: true, type: 'c', major: 136, access: 'rwm' },
];

/** Resources whose device rules start from "deny all" and end with what a container always needs, as runc applies them. */
export function withDefaultDeviceRules(resources: ResourcesSpec | undefined): ResourcesSpec {
  return { ...resources, devices: [{ allow: false, access: 'rwm' }, ...(resources?.devices ?? []), ...alwaysAllowed] };
}
