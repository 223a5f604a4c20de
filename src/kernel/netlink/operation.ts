import type { Op } from '../program/index.ts';
import { join, type NetlinkPart } from './message.ts';

/** linux/netlink.h */
const protocols = { route: 0, netfilter: 12 } as const;
const opFlags = { ignoreExisting: 2, ignoreMissing: 4 } as const;

export interface NetlinkOptions {
  readonly side?: 'host' | 'init';
  /** slot of a network namespace to send it in */
  readonly ns?: number | undefined;
  readonly ignoreExisting?: boolean;
  readonly ignoreMissing?: boolean;
}

/** One netlink operation of one or more rtnetlink messages; where the init's pid goes is told by byte offsets. */
export function routeOperation(parts: readonly NetlinkPart[], options: NetlinkOptions = {}): Op {
  return operation('route', parts, options);
}

/** One netlink operation of an nftables transaction. */
export function netfilterOperation(part: NetlinkPart, options: NetlinkOptions = {}): Op {
  return operation('netfilter', [part], options);
}

function operation(protocol: keyof typeof protocols, parts: readonly NetlinkPart[], options: NetlinkOptions): Op {
  const { bytes, pids } = join(...parts);
  const offsets = Buffer.alloc(pids.length * 4);
  for (const [index, offset] of pids.entries()) offsets.writeUInt32LE(offset, index * 4);
  return {
    op: 'netlink',
    side: options.side ?? 'host',
    protocol: protocols[protocol],
    message: bytes,
    ...(pids.length > 0 ? { pidOffsets: offsets } : {}),
    ...(options.ns === undefined ? {} : { ns: options.ns }),
    flags: (options.ignoreExisting ? opFlags.ignoreExisting : 0) | (options.ignoreMissing ? opFlags.ignoreMissing : 0),
  };
}
