import { existsSync, readFileSync } from 'node:fs';
import { type Ipv4Prefix, ipv4Mask } from '../kernel/netlink/index.ts';

/** A route of the host's main table. */
export interface HostRoute {
  readonly link: string;
  readonly prefix: Ipv4Prefix;
}

/** What the network layer reads of the host; every change goes through programs. */
export interface HostLinks {
  routes(): readonly HostRoute[];
  /** interface index; undefined when there is no such link */
  indexOf(link: string): number | undefined;
  mtuOf(link: string): number | undefined;
  /** whether the kernel has IPv6 */
  hasIpv6(): boolean;
}

/** The network namespace of this process, by /proc and /sys (which shows the namespace that mounted it). */
export const hostLinks: HostLinks = {
  routes: () => parseRoutes(readFileSync('/proc/net/route', 'utf8')),
  indexOf: (link) => readNumber(`/sys/class/net/${link}/ifindex`),
  mtuOf: (link) => readNumber(`/sys/class/net/${link}/mtu`),
  hasIpv6: () => existsSync('/proc/sys/net/ipv6/conf/all/disable_ipv6'),
};

/** /proc/net/route: addresses are eight hex digits of the number in host byte order. */
export function parseRoutes(text: string): readonly HostRoute[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [link = '', destination = '', , , , , , mask = ''] = line.trim().split(/\s+/);
      if (!/^[0-9A-F]{8}$/i.test(destination) || !/^[0-9A-F]{8}$/i.test(mask)) return [];
      const bits = swap(mask);
      const length = [...Array(33).keys()].find((candidate) => ipv4Mask(candidate) === bits);
      return length === undefined ? [] : [{ link, prefix: { address: swap(destination), length } }];
    });
}

/** The MTU of the link that the default route goes out by; 1500 without one. */
export function defaultMtu(links: HostLinks): number {
  const route = links.routes().find(({ prefix }) => prefix.length === 0);
  return (route && links.mtuOf(route.link)) ?? 1500;
}

function swap(hex: string): number {
  return Buffer.from(hex, 'hex').readUInt32LE();
}

function readNumber(file: string): number | undefined {
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch (error) {
    if (['ENOENT', 'ENODEV', 'EINVAL'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}
