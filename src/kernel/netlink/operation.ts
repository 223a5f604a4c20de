import type { Op } from '../program/index.ts';
import { interfaceName } from './addresses.ts';
import { join, type NetlinkPart } from './message.ts';

/** linux/netlink.h */
const protocols = { route: 0, netfilter: 12 } as const;
const opFlags = { ignoreExisting: 2, ignoreMissing: 4 } as const;

export interface NetlinkOptions {
  readonly side?: 'host' | 'init';
  /** slot of a network namespace to send it in */
  readonly ns?: number | undefined;
  /** slot whose descriptor the message names: a network namespace that a link goes to */
  readonly target?: number | undefined;
  /** the link that the message is about without knowing its index */
  readonly link?: string | undefined;
  readonly ignoreExisting?: boolean;
  readonly ignoreMissing?: boolean;
}

/** One netlink operation of one or more rtnetlink messages; where the init's pid, the target's descriptor and the link's index go is told by byte offsets. */
export function routeOperation(parts: readonly NetlinkPart[], options: NetlinkOptions = {}): Op {
  return operation('route', parts, options);
}

/** One netlink operation of an nftables transaction. */
export function netfilterOperation(part: NetlinkPart, options: NetlinkOptions = {}): Op {
  return operation('netfilter', [part], options);
}

function operation(protocol: keyof typeof protocols, parts: readonly NetlinkPart[], options: NetlinkOptions): Op {
  const { bytes, pids, targets, links } = join(...parts);
  return {
    op: 'netlink',
    side: options.side ?? 'host',
    protocol: protocols[protocol],
    message: bytes,
    ...(pids.length > 0 ? { pidOffsets: u32List(pids) } : {}),
    ...(options.ns === undefined ? {} : { ns: options.ns }),
    ...(targets.length > 0 ? { target: options.target, targetOffsets: u32List(targets) } : {}),
    ...(links.length > 0 ? { link: Buffer.from(interfaceName(options.link ?? '')), linkOffsets: u32List(links) } : {}),
    flags: (options.ignoreExisting ? opFlags.ignoreExisting : 0) | (options.ignoreMissing ? opFlags.ignoreMissing : 0),
  };
}

function u32List(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32LE(value, index * 4);
  return bytes;
}
