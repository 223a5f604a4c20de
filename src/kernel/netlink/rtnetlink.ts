import { type Ipv4Prefix, interfaceName, ipv4Bytes, ipv4Mask, macBytes } from './addresses.ts';
import {
  attribute,
  initPidAttribute,
  type LinkIndex,
  linkAttribute,
  linkedHeader,
  message,
  type NetlinkPart,
  nested,
  nlm,
  raw,
  stringAttribute,
  targetAttribute,
  u32Attribute,
} from './message.ts';

/** Message types and attributes of rtnetlink(7): linux/rtnetlink.h, if_link.h, if_addr.h, if_bridge.h, veth.h. */
const rtm = { newLink: 16, deleteLink: 17, setLink: 19, newAddress: 20, newRoute: 24 } as const;
const ifla = {
  address: 1,
  name: 3,
  mtu: 4,
  master: 10,
  protocolInfo: 12,
  linkInfo: 18,
  netNsPid: 19,
  netNsFd: 28,
  infoKind: 1,
  infoData: 2,
  vethPeer: 1,
} as const;
const ifa = { address: 1, local: 2, broadcast: 4 } as const;
const rta = { destination: 1, outInterface: 4, gateway: 5 } as const;
const brport = { hairpinMode: 4 } as const;
const afInet = 2;
const afBridge = 7;
const iffUp = 1;
const route = { tableMain: 254, protocolBoot: 3, scopeUniverse: 0, typeUnicast: 1 } as const;

const change = nlm.request | nlm.ack;
const create = change | nlm.create | nlm.exclusive;

/** struct ifinfomsg */
function linkHeader(index: LinkIndex, up: boolean): NetlinkPart {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt32LE(up ? iffUp : 0, 8);
  bytes.writeUInt32LE(up ? iffUp : 0, 12);
  return linkedHeader(bytes, index, 4);
}

export interface BridgeOptions {
  readonly name: string;
  readonly mtu?: number | undefined;
  /** a fixed one keeps the bridge from taking over that of the lowest port */
  readonly mac?: string | undefined;
}

/** Makes a bridge that is up. EEXIST when a link has the name. */
export function createBridge({ name, mtu, mac }: BridgeOptions): NetlinkPart {
  return message(
    rtm.newLink,
    create,
    linkHeader(0, true),
    stringAttribute(ifla.name, interfaceName(name)),
    ...(mtu === undefined ? [] : [u32Attribute(ifla.mtu, mtu)]),
    ...(mac === undefined ? [] : [attribute(ifla.address, macBytes(mac))]),
    nested(ifla.linkInfo, [stringAttribute(ifla.infoKind, 'bridge')], false),
  );
}

export interface VethOptions {
  /** the end that stays: up, and a port of `master` (interface index) */
  readonly name: string;
  readonly master?: number | undefined;
  readonly mtu?: number | undefined;
  /** the end that goes into a network namespace: of the init that the program clones, or the one in the operation's target slot */
  readonly peer: {
    readonly name: string;
    readonly index?: number | undefined;
    readonly mac?: string | undefined;
    readonly namespace: 'init' | 'target';
  };
}

/** Makes a pair of virtual Ethernet links in one message; the end that stays is up, its peer cannot be before the pair exists (ENOTCONN). */
export function createVeth({ name, master, mtu, peer }: VethOptions): NetlinkPart {
  const mtuPart = mtu === undefined ? [] : [u32Attribute(ifla.mtu, mtu)];
  const peerParts = [
    linkHeader(peer.index ?? 0, false),
    stringAttribute(ifla.name, interfaceName(peer.name)),
    ...mtuPart,
    ...(peer.mac === undefined ? [] : [attribute(ifla.address, macBytes(peer.mac))]),
    peer.namespace === 'init' ? initPidAttribute(ifla.netNsPid) : targetAttribute(ifla.netNsFd),
  ];
  return message(
    rtm.newLink,
    create,
    linkHeader(0, true),
    stringAttribute(ifla.name, interfaceName(name)),
    ...mtuPart,
    ...(master === undefined ? [] : [u32Attribute(ifla.master, master)]),
    nested(ifla.linkInfo, [stringAttribute(ifla.infoKind, 'veth'), nested(ifla.infoData, [nested(ifla.vethPeer, peerParts, false)], false)], false),
  );
}

export interface LinkChange {
  readonly index: LinkIndex;
  readonly name?: string | undefined;
  readonly mac?: string | undefined;
  readonly mtu?: number | undefined;
  /** interface index of a bridge; 0: leave it */
  readonly master?: number | undefined;
  readonly up?: boolean | undefined;
}

/** Changes an existing link. A link that is up cannot be renamed before Linux 6.2. */
export function changeLink({ index, name, mac, mtu, master, up }: LinkChange): NetlinkPart {
  return message(
    rtm.newLink,
    change,
    linkHeader(index, up === true),
    ...(name === undefined ? [] : [stringAttribute(ifla.name, interfaceName(name))]),
    ...(mac === undefined ? [] : [attribute(ifla.address, macBytes(mac))]),
    ...(mtu === undefined ? [] : [u32Attribute(ifla.mtu, mtu)]),
    ...(master === undefined ? [] : [u32Attribute(ifla.master, master)]),
  );
}

/** A port of a bridge sends back by the link what came by it: where bridges show their packets to the firewall, its translations may lead there. */
export function reflectOnPort(index: LinkIndex): NetlinkPart {
  const header = Buffer.alloc(16);
  header[0] = afBridge;
  return message(rtm.setLink, change, linkedHeader(header, index, 4), nested(ifla.protocolInfo, [attribute(brport.hairpinMode, Uint8Array.of(1))]));
}

/** Removes a link by its name; ENODEV when there is none. */
export function deleteLink(name: string): NetlinkPart {
  return message(rtm.deleteLink, change, linkHeader(0, false), stringAttribute(ifla.name, interfaceName(name)));
}

/** Gives an interface an IPv4 address and the route of its network; EEXIST when it has it. */
export function addAddress(index: LinkIndex, prefix: Ipv4Prefix): NetlinkPart {
  const header = Buffer.alloc(8);
  header[0] = afInet;
  header[1] = prefix.length;
  const local = ipv4Bytes(prefix.address);
  const broadcast = ipv4Bytes(prefix.address | ~ipv4Mask(prefix.length));
  return message(
    rtm.newAddress,
    create,
    linkedHeader(header, index, 4),
    attribute(ifa.local, local),
    attribute(ifa.address, local),
    ...(prefix.length < 31 ? [attribute(ifa.broadcast, broadcast)] : []),
  );
}

/** Adds an IPv4 route through a gateway; length 0 is the default route. */
export function addRoute(index: LinkIndex, destination: Ipv4Prefix, gateway: number): NetlinkPart {
  const header = Buffer.alloc(12);
  header[0] = afInet;
  header[1] = destination.length;
  header[4] = route.tableMain;
  header[5] = route.protocolBoot;
  header[6] = route.scopeUniverse;
  header[7] = route.typeUnicast;
  return message(
    rtm.newRoute,
    create,
    raw(header),
    ...(destination.length > 0 ? [attribute(rta.destination, ipv4Bytes(destination.address))] : []),
    attribute(rta.gateway, ipv4Bytes(gateway)),
    linkAttribute(rta.outInterface, index),
  );
}
