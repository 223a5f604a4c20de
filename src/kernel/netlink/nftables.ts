import { type Ipv4Prefix, interfaceName, ipv4Bytes, ipv4Mask, ipv4Network } from './addresses.ts';
import { attribute, be32Attribute, join, message, type NetlinkPart, nested, nlm, raw, stringAttribute } from './message.ts';

/** Numbers of linux/netfilter/nfnetlink.h and nf_tables.h. */
const subsystem = 10;
const batch = { begin: 0x10, end: 0x11 } as const;
const nft = { newTable: 0, deleteTable: 2, newChain: 3, newRule: 6 } as const;
const nfprotoIpv4 = 2;
const hooks = { prerouting: 0, input: 1, forward: 2, output: 3, postrouting: 4 } as const;
const verdicts = { drop: 0, accept: 1 } as const;
const metaKeys = { iifname: 6, oifname: 7, l4proto: 16 } as const;
const conntrackKeys = { state: 0, status: 2 } as const;
const register = 1;
const secondRegister = 2;
/** where `payload` counts from: NFT_PAYLOAD_* */
const payloadBases = { network: 1, transport: 2 } as const;
/** of struct iphdr, and of the headers of TCP, UDP and SCTP */
const offsets = { source: 12, destination: 16, destinationPort: 2 } as const;
/** IPPROTO_* */
const ipProtocols = { tcp: 6, udp: 17, sctp: 132 } as const;
/** NFT_FIB_RESULT_ADDRTYPE of the destination, and RTN_LOCAL (linux/rtnetlink.h) */
const fibAddressType = { result: 3, flags: 2, local: 2 } as const;
const natDestination = 1;
const interfaceNameBytes = 16;
/** NF_CT_STATE_BIT(IP_CT_ESTABLISHED) | NF_CT_STATE_BIT(IP_CT_RELATED) */
const establishedOrRelated = 2 | 4;
/** IPS_DST_NAT */
const destinationTranslated = 32;

export type NftExpression = NetlinkPart;

export interface NftChain {
  readonly name: string;
  readonly type: 'filter' | 'nat';
  readonly hook: keyof typeof hooks;
  readonly priority: number;
  readonly policy: keyof typeof verdicts;
  /** each a list of expressions, all of which must match */
  readonly rules: readonly (readonly NftExpression[])[];
}

/** Replaces the whole IPv4 table in one transaction, whether it exists or not: add, delete, add again with what it is to hold. */
export function replaceTable(name: string, chains: readonly NftChain[]): NetlinkPart {
  return transaction([
    nftMessage(nft.newTable, nlm.create, [stringAttribute(1, name)]),
    nftMessage(nft.deleteTable, 0, [stringAttribute(1, name)]),
    nftMessage(nft.newTable, nlm.create, [stringAttribute(1, name)]),
    ...chains.flatMap((chain) => [chainMessage(name, chain), ...chain.rules.map((rule) => ruleMessage(name, chain.name, rule))]),
  ]);
}

/** Removes the IPv4 table and all in it; fine when there is none. */
export function removeTable(name: string): NetlinkPart {
  return transaction([nftMessage(nft.newTable, nlm.create, [stringAttribute(1, name)]), nftMessage(nft.deleteTable, 0, [stringAttribute(1, name)])]);
}

/** `iifname NAME`, `oifname != NAME`, … */
export function matchInterface(direction: 'in' | 'out', name: string, equal = true): readonly NftExpression[] {
  const value = Buffer.alloc(interfaceNameBytes);
  value.write(interfaceName(name));
  return [expression('meta', [be32Attribute(1, register), be32Attribute(2, direction === 'in' ? metaKeys.iifname : metaKeys.oifname)]), compare(value, equal)];
}

/** `ip saddr PREFIX` */
export function matchSource(prefix: Ipv4Prefix): readonly NftExpression[] {
  return matchAddress(offsets.source, prefix);
}

/** `ip daddr PREFIX` */
export function matchDestination(prefix: Ipv4Prefix): readonly NftExpression[] {
  return matchAddress(offsets.destination, prefix);
}

/** `fib daddr type local`: an address of the machine */
export function matchLocalDestination(): readonly NftExpression[] {
  const { result, flags, local } = fibAddressType;
  return [expression('fib', [be32Attribute(1, register), be32Attribute(2, result), be32Attribute(3, flags)]), compare(u32(local), true)];
}

/** `tcp dport PORT`, … */
export function matchDestinationPort(protocol: keyof typeof ipProtocols, port: number): readonly NftExpression[] {
  return [
    expression('meta', [be32Attribute(1, register), be32Attribute(2, metaKeys.l4proto)]),
    compare(Uint8Array.of(ipProtocols[protocol]), true),
    payload('transport', offsets.destinationPort, 2),
    compare(portBytes(port), true),
  ];
}

/** `ct state established,related` */
export function matchEstablished(): readonly NftExpression[] {
  return matchConntrack('state', establishedOrRelated);
}

/** `ct status dnat` */
export function matchTranslatedDestination(): readonly NftExpression[] {
  return matchConntrack('status', destinationTranslated);
}

/** `dnat to ADDRESS:PORT` */
export function translateDestination(address: number, port: number): readonly NftExpression[] {
  return [
    load(register, ipv4Bytes(address)),
    load(secondRegister, portBytes(port)),
    expression('nat', [
      be32Attribute(1, natDestination),
      be32Attribute(2, nfprotoIpv4),
      ...[3, 4].map((attributeOfAddress) => be32Attribute(attributeOfAddress, register)),
      ...[5, 6].map((attributeOfPort) => be32Attribute(attributeOfPort, secondRegister)),
    ]),
  ];
}

export function masquerade(): NftExpression {
  return expression('masq', []);
}

export function verdict(name: keyof typeof verdicts): NftExpression {
  return expression('immediate', [be32Attribute(1, 0), nested(2, [nested(2, [be32Attribute(1, verdicts[name])])])]);
}

function matchAddress(offset: number, prefix: Ipv4Prefix): readonly NftExpression[] {
  return [payload('network', offset, 4), mask(ipv4Bytes(ipv4Mask(prefix.length))), compare(ipv4Bytes(ipv4Network(prefix)), true)];
}

function matchConntrack(key: keyof typeof conntrackKeys, bits: number): readonly NftExpression[] {
  return [expression('ct', [be32Attribute(2, conntrackKeys[key]), be32Attribute(1, register)]), mask(u32(bits)), compare(Buffer.alloc(4), false)];
}

function payload(base: keyof typeof payloadBases, offset: number, length: number): NftExpression {
  return expression('payload', [be32Attribute(1, register), be32Attribute(2, payloadBases[base]), be32Attribute(3, offset), be32Attribute(4, length)]);
}

function load(into: number, value: Uint8Array): NftExpression {
  return expression('immediate', [be32Attribute(1, into), nested(2, [attribute(1, value)])]);
}

/** What the kernel has in host byte order. */
function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function portBytes(port: number): Uint8Array {
  return Uint8Array.of(port >> 8, port & 255);
}

function compare(value: Uint8Array, equal: boolean): NftExpression {
  return expression('cmp', [be32Attribute(1, register), be32Attribute(2, equal ? 0 : 1), nested(3, [attribute(1, value)])]);
}

function mask(bits: Buffer): NftExpression {
  return expression('bitwise', [
    be32Attribute(1, register),
    be32Attribute(2, register),
    be32Attribute(3, bits.length),
    nested(4, [attribute(1, bits)]),
    nested(5, [attribute(1, Buffer.alloc(bits.length))]),
  ]);
}

/** NFTA_EXPR_NAME and NFTA_EXPR_DATA in a list element. */
function expression(name: string, data: readonly NetlinkPart[]): NftExpression {
  return nested(1, [stringAttribute(1, name), ...(data.length > 0 ? [nested(2, data)] : [])]);
}

function chainMessage(table: string, chain: NftChain): NetlinkPart {
  return nftMessage(nft.newChain, nlm.create, [
    stringAttribute(1, table),
    stringAttribute(3, chain.name),
    nested(4, [be32Attribute(1, hooks[chain.hook]), be32Attribute(2, chain.priority)]),
    be32Attribute(5, verdicts[chain.policy]),
    stringAttribute(7, chain.type),
  ]);
}

function ruleMessage(table: string, chain: string, expressions: readonly NftExpression[]): NetlinkPart {
  return nftMessage(nft.newRule, nlm.create | nlm.append, [stringAttribute(1, table), stringAttribute(2, chain), nested(4, expressions)]);
}

function nftMessage(type: number, flags: number, parts: readonly NetlinkPart[]): NetlinkPart {
  return message((subsystem << 8) | type, nlm.request | nlm.ack | flags, generic(nfprotoIpv4, 0), ...parts);
}

function transaction(messages: readonly NetlinkPart[]): NetlinkPart {
  return join(message(batch.begin, nlm.request, generic(0, subsystem)), ...messages, message(batch.end, nlm.request, generic(0, subsystem)));
}

/** struct nfgenmsg; the resource id is big endian. */
function generic(family: number, resource: number): NetlinkPart {
  return raw(Uint8Array.of(family, 0, resource >> 8, resource & 255));
}
