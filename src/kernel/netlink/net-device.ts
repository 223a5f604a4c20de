import type { Op } from '../program/index.ts';
import { interfaceName } from './addresses.ts';
import { attribute, initPidAttribute, linkedHeader, message, type NetlinkPart, nlm, raw, stringAttribute } from './message.ts';
import { routeOperation } from './operation.ts';

/** linux/rtnetlink.h, if_link.h, if_addr.h */
const rtm = { newLink: 16, getLink: 18, newAddress: 20, getAddress: 22 } as const;
const ifla = { name: 3, netNsPid: 19 } as const;
const ifa = { address: 1, local: 2, broadcast: 4, flags: 8 } as const;
const permanentFlag = 0x80;
const universeScope = 0;
const iffUp = 1;
const headerBytes = 16;
const linkHeaderBytes = 16;
const addressHeaderBytes = 8;
/** of the index in struct ifaddrmsg */
const addressIndexOffset = 4;
const dumpReplyWanted = 1;

/** A network device of the runtime's namespace, as it is before it moves. */
export interface NetDevice {
  readonly index: number;
  readonly name: string;
  /** permanent ones of global scope: what moves with the device. The kernel forgets all addresses of one that changes its namespace */
  readonly addresses: readonly NetAddress[];
}

export interface NetAddress {
  readonly family: number;
  readonly prefixLength: number;
  /** network byte order */
  readonly address: Buffer;
  readonly broadcast?: Buffer | undefined;
}

/** Asks for every link and every address of the namespace; for `parseNetDevices`. */
export function listNetDevices(): readonly Op[] {
  return [
    dump(message(rtm.getLink, nlm.request | nlm.dump, raw(new Uint8Array(linkHeaderBytes)))),
    dump(message(rtm.getAddress, nlm.request | nlm.dump, raw(new Uint8Array(addressHeaderBytes)))),
  ];
}

function dump({ bytes }: NetlinkPart): Op {
  return { op: 'netlink', side: 'host', protocol: 0, message: bytes, flags: dumpReplyWanted };
}

/** The answers, one message each. */
export function parseNetDevices(messages: readonly Buffer[]): readonly NetDevice[] {
  const ofType = (type: number) => messages.filter((data) => data.readUInt16LE(4) === type).map((data) => data.subarray(headerBytes));
  const addresses = ofType(rtm.newAddress).flatMap((body) => {
    const index = body.readUInt32LE(addressIndexOffset);
    const found = parseAddress(body);
    return found === undefined ? [] : [{ index, found }];
  });
  return ofType(rtm.newLink).map((body) => {
    const index = body.readInt32LE(4);
    const name = attributes(body.subarray(linkHeaderBytes)).get(ifla.name)?.toString('latin1').replace(/\0.*$/s, '') ?? '';
    return { index, name, addresses: addresses.filter((entry) => entry.index === index).map(({ found }) => found) };
  });
}

function parseAddress(body: Buffer): NetAddress | undefined {
  const [family = 0, prefixLength = 0, flags = 0, scope = 0] = body;
  const found = attributes(body.subarray(addressHeaderBytes));
  const all = found.get(ifa.flags)?.readUInt32LE(0) ?? flags;
  const address = found.get(ifa.local) ?? found.get(ifa.address);
  if (address === undefined || scope !== universeScope || (all & permanentFlag) === 0) return undefined;
  const broadcast = found.get(ifa.broadcast);
  return { family, prefixLength, address, ...(broadcast === undefined ? {} : { broadcast }) };
}

function attributes(data: Buffer): ReadonlyMap<number, Buffer> {
  const found = new Map<number, Buffer>();
  for (let at = 0; at + 4 <= data.length; ) {
    const length = data.readUInt16LE(at);
    if (length < 4) break;
    found.set(data.readUInt16LE(at + 2) & 0x3fff, data.subarray(at + 4, at + length));
    at += (length + 3) & ~3;
  }
  return found;
}

/** Moves a device into the namespace of the init and renames it, in one step: no other of that name can come between. */
export function moveNetDevice({ index }: NetDevice, name: string, ns?: number): Op {
  const header = Buffer.alloc(linkHeaderBytes);
  header.writeInt32LE(index, 4);
  const part = message(rtm.newLink, nlm.request | nlm.ack, raw(header), stringAttribute(ifla.name, interfaceName(name)), initPidAttribute(ifla.netNsPid));
  return routeOperation([part], { ns });
}

/** In the init: gives the device of that name its addresses back, and brings it up. Its index may be another one there. */
export function restoreNetDevice({ addresses }: NetDevice, name: string): Op {
  const up = Buffer.alloc(linkHeaderBytes);
  up.writeUInt32LE(iffUp, 8);
  up.writeUInt32LE(iffUp, 12);
  const parts = [...addresses.map(addressMessage), message(rtm.newLink, nlm.request | nlm.ack, raw(up), stringAttribute(ifla.name, interfaceName(name)))];
  return routeOperation(parts, { side: 'init', ignoreExisting: true, link: name });
}

function addressMessage({ family, prefixLength, address, broadcast }: NetAddress): NetlinkPart {
  const header = Buffer.alloc(addressHeaderBytes);
  header[0] = family;
  header[1] = prefixLength;
  return message(
    rtm.newAddress,
    nlm.request | nlm.ack | nlm.create | nlm.exclusive,
    linkedHeader(header, 'named', addressIndexOffset),
    attribute(ifa.local, address),
    attribute(ifa.address, address),
    ...(broadcast === undefined ? [] : [attribute(ifa.broadcast, broadcast)]),
  );
}
