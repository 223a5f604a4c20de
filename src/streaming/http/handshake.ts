import { createHash } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { answerUpgrade, HttpRefusal } from './answer.ts';
import { type Head, headerList } from './read-head.ts';

/** RFC 6455, section 1.3. */
const webSocketGuid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const spdyVersion = 'SPDY/3.1';
const protocolHeader = 'X-Stream-Protocol-Version';

export function isWebSocket(head: Head): boolean {
  return headerList(head, 'upgrade').some((name) => name.toLowerCase() === 'websocket') && asksForUpgrade(head);
}

/** Upgrades to SPDY and answers the first of the client's protocols that is among `offered`. */
export function upgradeToSpdy(socket: Duplex, head: Head, offered: readonly string[]): string {
  const asked = headerList(head, protocolHeader.toLowerCase());
  if (asked.length === 0) throw new HttpRefusal(400, `unable to upgrade: the request has no header ${protocolHeader}`);
  const protocol = asked.find((name) => offered.includes(name));
  if (protocol === undefined) {
    const accepted = offered.map((name) => ['X-Accepted-Stream-Protocol-Versions', name] as const);
    throw new HttpRefusal(403, `unable to upgrade: the client speaks ${asked.join(', ')}, and the server ${offered.join(', ')}`, accepted);
  }
  if (!asksForUpgrade(head) || !headerList(head, 'upgrade').some((name) => name.toLowerCase() === spdyVersion.toLowerCase()))
    throw new HttpRefusal(400, 'unable to upgrade: the request asks neither for SPDY/3.1 nor for a WebSocket');
  answerUpgrade(socket, [
    ['Connection', 'Upgrade'],
    ['Upgrade', spdyVersion],
    [protocolHeader, protocol],
  ]);
  return protocol;
}

/** Upgrades to a WebSocket and answers the first of the client's protocols that is among `offered`, or '' when it names none. */
export function upgradeToWebSocket(socket: Duplex, head: Head, offered: readonly string[]): string {
  const key = head.headers.get('sec-websocket-key')?.[0];
  if (head.start[0] !== 'GET' || key === undefined) throw new HttpRefusal(400, 'unable to upgrade: a WebSocket is asked for by GET, with a Sec-WebSocket-Key');
  if (head.headers.get('sec-websocket-version')?.[0] !== '13')
    throw new HttpRefusal(400, 'unable to upgrade: the version of WebSocket is not 13', [['Sec-WebSocket-Version', '13']]);
  const asked = headerList(head, 'sec-websocket-protocol');
  const protocol = asked.length === 0 ? '' : asked.find((name) => offered.includes(name));
  if (protocol === undefined) throw new HttpRefusal(403, `unable to upgrade: the client speaks ${asked.join(', ')}, and the server ${offered.join(', ')}`);
  answerUpgrade(socket, [
    ['Connection', 'Upgrade'],
    ['Upgrade', 'websocket'],
    ['Sec-WebSocket-Accept', webSocketAccept(key)],
    ...(protocol === '' ? [] : [['Sec-WebSocket-Protocol', protocol] as const]),
  ]);
  return protocol;
}

export function webSocketAccept(key: string): string {
  return createHash('sha1').update(`${key}${webSocketGuid}`).digest('base64');
}

function asksForUpgrade(head: Head): boolean {
  return headerList(head, 'connection').some((item) => item.toLowerCase() === 'upgrade');
}
