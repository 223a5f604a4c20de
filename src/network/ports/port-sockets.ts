import dgram from 'node:dgram';
import { once } from 'node:events';
import net from 'node:net';
import type { PortMapping } from './port-mapping.ts';

type Socket = { close(): unknown };

/**
 * Sockets at ports that lead elsewhere: so that a port of a process of the machine is not taken from it, and that none begins to listen in vain. Nothing
 * comes to them, as the rules are before them. sctp has none: Node cannot make them.
 */
export class PortSockets {
  private readonly sockets = new Map<string, Socket[]>();

  /** Rejects with the system's error: EADDRINUSE, EADDRNOTAVAIL, EACCES. */
  async hold(holder: string, mapping: PortMapping): Promise<void> {
    const socket = await bind(mapping);
    if (socket !== undefined) this.sockets.set(holder, [...(this.sockets.get(holder) ?? []), socket]);
  }

  /** Idempotent. */
  release(holder: string): void {
    for (const socket of this.sockets.get(holder) ?? []) socket.close();
    this.sockets.delete(holder);
  }
}

async function bind({ protocol, hostPort: port, hostIp }: PortMapping): Promise<Socket | undefined> {
  const address = hostIp === '' ? '0.0.0.0' : hostIp;
  if (protocol === 'sctp') return undefined;
  if (protocol === 'udp') {
    const socket = dgram.createSocket('udp4').unref();
    const bound = once(socket, 'listening');
    socket.bind({ port, address, exclusive: true });
    try {
      await bound;
    } catch (error) {
      socket.close();
      throw error;
    }
    return socket.on('error', ignore);
  }
  const server = net.createServer((client) => client.destroy()).unref();
  const bound = once(server, 'listening');
  server.listen({ port, host: address, exclusive: true });
  await bound;
  return server.on('error', ignore);
}

/** What happens to it later is of no account. */
function ignore(): void {}
