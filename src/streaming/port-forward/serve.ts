import type { Duplex } from 'node:stream';
import type { PortForwardRequest, StreamingBackend } from '../backend.ts';
import { isWebSocket, upgradeToSpdy, upgradeToWebSocket } from '../http/handshake.ts';
import type { Head } from '../http/read-head.ts';
import { WebSocketDuplex } from '../websocket/duplex.ts';
import { forwardOverSpdy, type PortForwardOptions } from './spdy.ts';
import { forwardOverWebSocket } from './websocket.ts';

const spdyProtocols = ['portforward.k8s.io'];
/** SPDY, as the contents of a WebSocket's messages. */
const tunnel = 'SPDY/3.1+portforward.k8s.io';
const webSocketProtocols = [tunnel, 'v4.channel.k8s.io', 'v4.base64.channel.k8s.io'];

export async function servePortForward(
  socket: Duplex,
  head: Head,
  request: PortForwardRequest,
  backend: StreamingBackend,
  options: PortForwardOptions,
): Promise<void> {
  if (!isWebSocket(head)) {
    upgradeToSpdy(socket, head, spdyProtocols);
    return await forwardOverSpdy(socket, head.rest, request.sandboxId, backend, options);
  }
  const protocol = upgradeToWebSocket(socket, head, webSocketProtocols);
  const { idleMs } = options;
  if (protocol === tunnel) {
    const tunnelled = new WebSocketDuplex({ socket, side: 'server', received: head.rest, idleMs });
    return await forwardOverSpdy(tunnelled, Buffer.alloc(0), request.sandboxId, backend, options);
  }
  await forwardOverWebSocket(socket, head.rest, request, backend, { idleMs, isBase64: protocol.includes('base64') });
}
