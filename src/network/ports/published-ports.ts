import { readFileSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import { errorMessage, StrakeError } from '../../base/index.ts';
import type { HeldPorts } from './host-port-table.ts';
import { HostPorts, type HostPortsOptions } from './host-ports.ts';
import { type PortMapping, type PortRequest, sameHostPort } from './port-mapping.ts';
import { PortSockets } from './port-sockets.ts';

export interface PublishedPortsOptions extends Omit<HostPortsOptions, 'holders'> {
  readonly onWarning: (message: string, error: unknown) => void;
}

const rangeFile = '/proc/sys/net/ipv4/ip_local_port_range';

/** Ports of the machine that are chosen for containers, held against the machine's own processes, and lead to the containers. One call at a time. */
export class PublishedPorts {
  private readonly rules: HostPorts;
  private readonly sockets = new PortSockets();
  private readonly onWarning: PublishedPortsOptions['onWarning'];
  /** The last one that was chosen freely: a port that was given back is not given to the next one at once. */
  private last = 0;

  constructor({ onWarning, ...options }: PublishedPortsOptions) {
    this.rules = new HostPorts({ ...options, holders: 'container' });
    this.onWarning = onWarning;
  }

  /** Loads what was kept, and takes it again. */
  async start(): Promise<void> {
    await this.rules.start();
    for (const { holder, ports } of this.rules.list())
      for (const mapping of ports)
        await this.sockets
          .hold(holder, mapping)
          .catch((error: unknown) => this.onWarning(`port ${mapping.hostPort}/${mapping.protocol} of container ${holder} has another listener`, error));
  }

  async restore(): Promise<void> {
    await this.rules.restore();
  }

  holders(): readonly string[] {
    return this.rules.list().map(({ holder }) => holder);
  }

  /** Behind which bridge a container with ports is. */
  bridgeOf(containerId: string): string | undefined {
    return this.rules.list().find(({ holder }) => holder === containerId)?.bridge;
  }

  /**
   * Answers what was chosen, in the order of the requests. ResourceExhausted for a port that is another container's or a process's; then none is open.
   * Texts are moby's (daemon/libnetwork/portallocator, drivers/bridge).
   */
  async open(place: Omit<HeldPorts, 'ports'>, requests: readonly PortRequest[]): Promise<readonly PortMapping[]> {
    const ports: PortMapping[] = [];
    try {
      for (const request of requests) ports.push(await this.choose(place, request, ports));
      await this.rules.open({ ...place, ports });
    } catch (error) {
      this.sockets.release(place.holder);
      throw error;
    }
    return ports;
  }

  /** Idempotent. */
  async close(holder: string): Promise<void> {
    await this.rules.close(holder);
    this.sockets.release(holder);
  }

  private async choose({ holder, address }: Omit<HeldPorts, 'ports'>, request: PortRequest, own: readonly PortMapping[]): Promise<PortMapping> {
    const { protocol, containerPort, hostIp, hostPorts } = request;
    if (hostIp !== '' && !isIPv4(hostIp))
      throw new StrakeError('InvalidArgument', `cannot publish a port at ${hostIp}: it is no IPv4 address`, { fields: { layer: 'network' } });
    let failure: Error | undefined;
    for (const hostPort of this.candidates(hostPorts)) {
      const mapping: PortMapping = { protocol, containerPort, hostPort, hostIp };
      if (this.rules.holderOf(mapping) !== undefined || own.some((other) => sameHostPort(other, mapping))) {
        failure = taken(`Bind for ${hostIp || '0.0.0.0'}:${hostPort} failed: port is already allocated`);
        continue;
      }
      try {
        await this.sockets.hold(holder, mapping);
      } catch (error) {
        failure = taken(
          `failed to bind host port for ${hostIp || '0.0.0.0'}:${hostPort}:${address}:${containerPort}/${protocol}: ${systemMessage(error)}`,
          error,
        );
        if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw failure;
        continue;
      }
      if (hostPorts === undefined) this.last = hostPort;
      return mapping;
    }
    if (hostPorts !== undefined && hostPorts[0] === hostPorts[1] && failure !== undefined) throw failure;
    throw taken('all ports are allocated', failure);
  }

  private *candidates(wanted: readonly [number, number] | undefined): Generator<number> {
    const [first, end] = wanted ?? clientPorts();
    const begin = wanted === undefined && this.last >= first && this.last < end ? this.last + 1 : first;
    for (let port = begin; port <= end; port++) yield port;
    for (let port = first; port < begin; port++) yield port;
  }
}

/** What the machine gives to clients. */
function clientPorts(): readonly [number, number] {
  const [first = 0, last = 0] = readFileSync(rangeFile, 'utf8').split(/\s+/).map(Number);
  return [first, last];
}

function taken(message: string, cause?: unknown): StrakeError {
  return new StrakeError('ResourceExhausted', message, { cause, fields: { layer: 'network', remedy: 'publish another port, or free that one' } });
}

function systemMessage(error: unknown): string {
  const known: Readonly<Record<string, string>> = {
    EADDRINUSE: 'address already in use',
    EADDRNOTAVAIL: 'cannot assign requested address',
    EACCES: 'permission denied',
  };
  return known[(error as NodeJS.ErrnoException).code ?? ''] ?? errorMessage(error);
}
