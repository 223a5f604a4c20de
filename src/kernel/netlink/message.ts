/** Byte offsets of u32 fields that are filled in when the program runs. */
interface Gaps {
  /** the init's pid */
  readonly pids: readonly number[];
  /** the descriptor of the slot that the operation names */
  readonly targets: readonly number[];
  /** the index of the link that the operation names */
  readonly links: readonly number[];
}

/** Part of a netlink message. */
export interface NetlinkPart extends Gaps {
  readonly bytes: Buffer;
}

const noGaps: Gaps = { pids: [], targets: [], links: [] };

/** linux/netlink.h */
export const nlm = { request: 0x1, ack: 0x4, dump: 0x300, exclusive: 0x200, replace: 0x100, create: 0x400, append: 0x800 } as const;
const nestedFlag = 0x8000;
const headerBytes = 16;
const attributeHeaderBytes = 4;

/** Parts one after the other; every part is padded to 4 bytes. */
export function join(...parts: readonly NetlinkPart[]): NetlinkPart {
  let length = 0;
  const shifted: Gaps[] = [];
  for (const part of parts) {
    shifted.push(shift(part, length));
    length += align(part.bytes.length);
  }
  const bytes = Buffer.alloc(length);
  let offset = 0;
  for (const part of parts) {
    part.bytes.copy(bytes, offset);
    offset += align(part.bytes.length);
  }
  return {
    bytes,
    pids: shifted.flatMap(({ pids }) => pids),
    targets: shifted.flatMap(({ targets }) => targets),
    links: shifted.flatMap(({ links }) => links),
  };
}

export function raw(bytes: Uint8Array): NetlinkPart {
  return { bytes: Buffer.from(bytes), ...noGaps };
}

/** struct nlattr: its length is without the padding. */
export function attribute(type: number, payload: Uint8Array): NetlinkPart {
  const bytes = Buffer.alloc(attributeHeaderBytes + payload.length);
  bytes.writeUInt16LE(bytes.length, 0);
  bytes.writeUInt16LE(type, 2);
  bytes.set(payload, attributeHeaderBytes);
  return { bytes, ...noGaps };
}

/** An attribute that holds others. rtnetlink's older ones go without the flag, as iproute2 sends them; nftables wants it. */
export function nested(type: number, parts: readonly NetlinkPart[], flag = true): NetlinkPart {
  const inner = join(...parts);
  const { bytes } = attribute(flag ? type | nestedFlag : type, inner.bytes);
  return { bytes, ...shift(inner, attributeHeaderBytes) };
}

export function stringAttribute(type: number, text: string): NetlinkPart {
  return attribute(type, Buffer.from(`${text}\0`));
}

/** Host byte order: little endian on every architecture that this runs on. */
export function u32Attribute(type: number, value: number): NetlinkPart {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return attribute(type, bytes);
}

/** Network byte order, as nftables has all its numbers. */
export function be32Attribute(type: number, value: number): NetlinkPart {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value | 0);
  return attribute(type, bytes);
}

/** A u32 attribute for a pid that is known only when the program runs. */
export function initPidAttribute(type: number): NetlinkPart {
  return { ...u32Attribute(type, 0), pids: [attributeHeaderBytes] };
}

/** A link by its index, or the one that the operation names, whose index is known only when the program runs. */
export type LinkIndex = number | 'named';

/** A header in which the index of a link (u32) stands at an offset. */
export function linkedHeader(bytes: Buffer, index: LinkIndex, offset: number): NetlinkPart {
  if (index === 'named') return { bytes, ...noGaps, links: [offset] };
  bytes.writeUInt32LE(index, offset);
  return { bytes, ...noGaps };
}

/** A u32 attribute for the index of a link. */
export function linkAttribute(type: number, index: LinkIndex): NetlinkPart {
  return index === 'named' ? { ...u32Attribute(type, 0), links: [attributeHeaderBytes] } : u32Attribute(type, index);
}

/** A u32 attribute for the descriptor that is in the operation's target slot. */
export function targetAttribute(type: number): NetlinkPart {
  return { ...u32Attribute(type, 0), targets: [attributeHeaderBytes] };
}

/** struct nlmsghdr and what follows it; the sequence number is the sender's to fill in. */
export function message(type: number, flags: number, ...parts: readonly NetlinkPart[]): NetlinkPart {
  const body = join(...parts);
  const header = Buffer.alloc(headerBytes);
  header.writeUInt32LE(headerBytes + body.bytes.length, 0);
  header.writeUInt16LE(type, 4);
  header.writeUInt16LE(flags, 6);
  return join(raw(header), body);
}

function shift({ pids, targets, links }: Gaps, by: number): Gaps {
  const move = (offset: number) => offset + by;
  return { pids: pids.map(move), targets: targets.map(move), links: links.map(move) };
}

function align(length: number): number {
  return (length + 3) & ~3;
}
