/** Docker's words for ports, and the network's. */
import type { PortBinding } from '../../api/docker/index.ts';
import type { PortMapping, PortRequest } from '../../network/index.ts';
import type { NetworkRequest } from '../containers/context.ts';
import { parsePort, parsePortRange } from '../containers/ports.ts';

/** What `-p` and `-P` ask for, by port. A port that is exposed and has a binding of its own has no other by `-P`. */
export function portRequests({
  portBindings,
  exposedPorts,
  publishAllPorts,
}: Pick<NetworkRequest, 'portBindings' | 'exposedPorts' | 'publishAllPorts'>): readonly PortRequest[] {
  const everything = publishAllPorts ? exposedPorts.map((port): [string, readonly PortBinding[]] => [port, [{ HostIp: '', HostPort: '' }]]) : [];
  const given = Object.entries(portBindings).filter(([, bindings]) => bindings.length > 0);
  const byPort = new Map([...everything, ...given].map(([port, bindings]) => [keyOf(port), bindings]));
  return [...byPort]
    .toSorted(([a], [b]) => parsePort(a).port - parsePort(b).port)
    .flatMap(([spec, bindings]) => {
      const { port: containerPort, protocol } = parsePort(spec);
      return bindings.map(({ HostIp: hostIp, HostPort: hostPort }) => ({ protocol, containerPort, hostIp, hostPorts: parsePortRange(hostPort) }));
    });
}

/** `NetworkSettings.Ports` of inspect. */
export function portState(exposedPorts: readonly string[], published: readonly PortMapping[]): Readonly<Record<string, readonly PortBinding[] | null>> {
  const state: Record<string, PortBinding[] | null> = Object.fromEntries(exposedPorts.map((port) => [port, null]));
  for (const { protocol, containerPort, hostIp, hostPort } of published) {
    const key = `${containerPort}/${protocol}`;
    state[key] = [...(state[key] ?? []), { HostIp: hostIp || '0.0.0.0', HostPort: String(hostPort) }];
  }
  return state;
}

function keyOf(spec: string): string {
  const { port, protocol } = parsePort(spec);
  return `${port}/${protocol}`;
}
