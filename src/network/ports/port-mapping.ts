/** A port of the machine that leads to one of a container or pod. */
export interface PortMapping {
  readonly protocol: PortProtocol;
  readonly containerPort: number;
  readonly hostPort: number;
  /** empty: every address of the machine */
  readonly hostIp: string;
}

export type PortProtocol = 'tcp' | 'udp' | 'sctp';

/** A mapping that is asked for. */
export interface PortRequest {
  readonly protocol: PortProtocol;
  readonly containerPort: number;
  /** The ports of the machine that will do, first and last; undefined: any of those that the machine gives to clients. */
  readonly hostPorts: readonly [number, number] | undefined;
  /** empty: the network's address for it, else every address of the machine */
  readonly hostIp: string;
}

/** Whether a mapping is for every address of the machine. */
export function everyAddress(hostIp: string): boolean {
  return hostIp === '' || hostIp === '0.0.0.0';
}

/** Whether two mappings want the same port of the machine. */
export function sameHostPort(a: PortMapping, b: PortMapping): boolean {
  return a.protocol === b.protocol && a.hostPort === b.hostPort && (a.hostIp === b.hostIp || everyAddress(a.hostIp) || everyAddress(b.hostIp));
}
