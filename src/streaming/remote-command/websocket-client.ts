import type { Duplex } from 'node:stream';
import type { StreamChoice } from '../backend.ts';
import type { Channel } from '../channel.ts';
import { upgradeToWebSocket } from '../http/handshake.ts';
import type { Head } from '../http/read-head.ts';
import { WebSocketChannels } from '../websocket/channels.ts';
import type { CommandClient, ConnectOptions } from './client.ts';

const protocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io', 'v4.base64.channel.k8s.io', 'channel.k8s.io', 'base64.channel.k8s.io'];
const channelNumbers = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4 } as const;

/** Upgrades: the channels have fixed numbers, so nothing has to be waited for. */
export async function connectWebSocketClient(socket: Duplex, head: Head, choice: StreamChoice, { idleMs }: ConnectOptions): Promise<CommandClient> {
  const protocol = upgradeToWebSocket(socket, head, protocols);
  const connection = new WebSocketChannels({
    socket,
    received: head.rest,
    idleMs,
    count: Object.keys(channelNumbers).length,
    readable: [...(choice.stdin ? [channelNumbers.stdin] : []), channelNumbers.resize],
    isBase64: protocol.includes('base64'),
    hasCloseSignal: protocol.startsWith('v5.'),
  });
  const channel = (name: keyof typeof channelNumbers) => connection.channels[channelNumbers[name]] as Channel;
  await connection.announce(channelNumbers[choice.stdout ? 'stdout' : choice.stderr ? 'stderr' : 'error']);
  return {
    stdin: choice.stdin ? channel('stdin') : undefined,
    stdout: choice.stdout ? channel('stdout') : undefined,
    stderr: choice.stderr ? channel('stderr') : undefined,
    resize: channel('resize'),
    error: channel('error'),
    statusFormat: protocol.startsWith('v') ? 'json' : 'text',
    signal: connection.signal,
    close: () => connection.close(),
  };
}
