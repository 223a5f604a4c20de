import { StrakeError } from '../base/index.ts';
import { formatIpv4, type Ipv4Prefix, ipv4Mask, ipv4Network, parseIpv4 } from '../kernel/netlink/index.ts';

/** Docker's default pools: 172.17.0.0/16 to 172.31.0.0/16, then 192.168.0.0/16 in pieces of /20. */
const dockerPools: readonly Ipv4Prefix[] = [
  ...Array.from({ length: 15 }, (_, index) => ({ address: parseIpv4(`172.${17 + index}.0.0`), length: 16 })),
  ...Array.from({ length: 16 }, (_, index) => ({ address: parseIpv4(`192.168.${16 * index}.0`), length: 20 })),
];

/** For pods: 10.88.0.0/16, as podman and containerd have it in their examples, to 10.103.0.0/16; Docker's, whose bridges may be made later, come last. */
export const podPools: readonly Ipv4Prefix[] = [
  ...Array.from({ length: 16 }, (_, index) => ({ address: parseIpv4(`10.${88 + index}.0.0`), length: 16 })),
  ...dockerPools,
];

/** The first pool that overlaps nothing in `taken`. ResourceExhausted when all do. */
export function choosePool(taken: readonly Ipv4Prefix[], pools: readonly Ipv4Prefix[] = dockerPools): Ipv4Prefix {
  const pool = pools.find((candidate) => !taken.some((other) => overlaps(candidate, other)));
  if (!pool)
    throw new StrakeError('ResourceExhausted', 'all predefined address pools have been fully subnetted', {
      fields: { layer: 'network', remedy: 'give the network a subnet of its own' },
    });
  return pool;
}

/** A default route overlaps nothing: it is everywhere. */
export function overlaps(a: Ipv4Prefix, b: Ipv4Prefix): boolean {
  if (a.length === 0 || b.length === 0) return false;
  const mask = ipv4Mask(Math.min(a.length, b.length));
  return (a.address & mask) >>> 0 === (b.address & mask) >>> 0;
}

export function contains(prefix: Ipv4Prefix, address: number): boolean {
  return (address & ipv4Mask(prefix.length)) >>> 0 === ipv4Network(prefix);
}

/** Addresses of the network that a host can have: all but the first and, with room for it, the last. */
export function isHostAddress(prefix: Ipv4Prefix, address: number): boolean {
  const last = (ipv4Network(prefix) | ~ipv4Mask(prefix.length)) >>> 0;
  return contains(prefix, address) && address !== ipv4Network(prefix) && (prefix.length >= 31 || address !== last);
}

/** The lowest free address of `range`, which lies within `subnet`. */
export function chooseAddress(subnet: Ipv4Prefix, range: Ipv4Prefix, taken: ReadonlySet<number>): number {
  const first = ipv4Network(range);
  const end = first + 2 ** (32 - range.length);
  for (let address = first; address < end; address++) if (isHostAddress(subnet, address) && !taken.has(address)) return address;
  throw new StrakeError('ResourceExhausted', `no available IPv4 addresses on this network's address pools (${formatIpv4(first)}/${range.length})`, {
    fields: { layer: 'network' },
  });
}

/** Docker's scheme: 02:42 and the four bytes of the address, so that a reused address keeps its neighbours' ARP entries right. */
export function macOf(address: number): string {
  return ['02', '42', ...[24, 16, 8, 0].map((shift) => ((address >>> shift) & 255).toString(16).padStart(2, '0'))].join(':');
}
