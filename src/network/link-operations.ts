import { addAddress, addRoute, changeLink, createVeth, type Ipv4Prefix, type LinkIndex, reflectOnPort, routeOperation } from '../kernel/netlink/index.ts';
import type { Op } from '../kernel/program/index.ts';

/** A pair of links between a bridge and a container or pod. */
export interface LinkPlan {
  /** the host's end */
  readonly link: string;
  /** interface index of the bridge */
  readonly master: number;
  readonly mtu: number | undefined;
  /** of the other end, there */
  readonly name: string;
  /** in a namespace that is new; what it is in another one is the kernel's to say */
  readonly index: number;
  readonly mac: string;
  readonly address: Ipv4Prefix;
  /** of the default route; undefined: none */
  readonly gateway: number | undefined;
  /** whether the kernel has IPv6, which the link is not to speak: it has no addresses that are given, and would believe any router's advertisement (CVE-2020-10749) */
  readonly hasIpv6: boolean;
  /** whether it is to reach itself by a port of the machine */
  readonly hasPorts: boolean;
}

export interface LinkOperations {
  readonly hostOperations: readonly Op[];
  readonly initOperations: readonly Op[];
}

/** lo is 1 in a new network namespace */
const loopbackIndex = 1;
const cloneNewNet = 0x4000_0000;
const ignoreMissing = 1;
const podSlot = 1;

/** Into the network namespace of the init that the program clones. */
export function linkToInit(plan: LinkPlan): LinkOperations {
  const noIpv6: readonly Op[] = plan.hasIpv6 ? [{ op: 'sysctl', side: 'init', key: `net/ipv6/conf/${plan.name}/disable_ipv6`, value: '1' }] : [];
  return {
    hostOperations: [routeOperation([pair(plan, 'init')]), ...(plan.hasPorts ? [reflect(plan)] : [])],
    initOperations: [...noIpv6, routeOperation(inside(plan, plan.index), { side: 'init' })],
  };
}

/** Into the network namespace that a path leads to: a program of its own, which ends there. Brings its loopback up, too; a pod reaches itself by a service's address. */
export function linkToNamespace(plan: LinkPlan, netns: string): LinkOperations {
  const noIpv6: readonly Op[] = plan.hasIpv6
    ? [{ op: 'write_file', side: 'host', path: `/proc/sys/net/ipv6/conf/${plan.name}/disable_ipv6`, data: Buffer.from('1'), flags: ignoreMissing }]
    : [];
  return {
    hostOperations: [
      { op: 'open', side: 'host', out: podSlot, path: netns, mode: 0 },
      routeOperation([pair(plan, 'target')], { target: podSlot }),
      ...(plan.hasPorts ? [reflect(plan)] : []),
      { op: 'join', side: 'host', fd: podSlot, flags: cloneNewNet },
      ...noIpv6,
      routeOperation([changeLink({ index: loopbackIndex, up: true }), ...inside(plan, 'named')], { link: plan.name }),
    ],
    initOperations: [],
  };
}

function reflect({ link }: LinkPlan): Op {
  return routeOperation([reflectOnPort('named')], { link });
}

function pair({ link, master, mtu, name, index, mac }: LinkPlan, namespace: 'init' | 'target') {
  return createVeth({ name: link, master, mtu, peer: { name, index: namespace === 'init' ? index : undefined, mac, namespace } });
}

function inside({ address, gateway }: LinkPlan, index: LinkIndex) {
  const defaultRoute = gateway === undefined ? [] : [addRoute(index, { address: 0, length: 0 }, gateway)];
  return [changeLink({ index, up: true }), addAddress(index, address), ...defaultRoute];
}
