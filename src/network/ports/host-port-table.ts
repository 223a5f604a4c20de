import {
  masquerade,
  matchDestination,
  matchDestinationPort,
  matchInterface,
  matchLocalDestination,
  matchSource,
  matchTranslatedDestination,
  type NetlinkPart,
  type NftChain,
  type NftExpression,
  parseIpv4,
  parseIpv4Prefix,
  replaceTable,
  translateDestination,
  verdict,
} from '../../kernel/netlink/index.ts';
import { contains } from '../address-pools.ts';
import { everyAddress, type PortMapping } from './port-mapping.ts';

/** NF_IP_PRI_* (linux/netfilter_ipv4.h) */
const priorities = { raw: -300, destinationNat: -100, sourceNat: 100 } as const;
const loopback = parseIpv4Prefix('127.0.0.0/8');

/** The ports of the machine that lead to a pod or container. */
export interface HeldPorts {
  /** the pod's or container's id */
  readonly holder: string;
  /** its IPv4 address */
  readonly address: string;
  /** the interface behind which it is, and that one's network (CIDR) */
  readonly bridge: string;
  readonly subnet: string;
  readonly ports: readonly PortMapping[];
}

/**
 * The table of the ports that lead to pods or containers. What the loopback of the machine sends to one, and what another one of its bridge does, gets the
 * bridge's address, as the answer would go past the translation else. Nothing that one of them makes up for the machine's loopback comes in
 * (CVE-2020-8558), and a port of the loopback alone is not one for neighbours on the wire that make up its address.
 */
export function hostPortTable(table: string, all: readonly HeldPorts[]): NetlinkPart {
  const bridges = new Map(all.map(({ bridge, subnet }) => [bridge, subnet]));
  const nat = (hook: 'prerouting' | 'output', wanted: (mapping: PortMapping) => boolean): NftChain => ({
    name: hook,
    type: 'nat',
    hook,
    priority: priorities.destinationNat,
    policy: 'accept',
    rules: all.flatMap(({ address, ports }) => ports.filter(wanted).map((mapping) => translation(address, mapping))),
  });
  return replaceTable(table, [
    {
      name: 'forged',
      type: 'filter',
      hook: 'prerouting',
      priority: priorities.raw,
      policy: 'accept',
      rules: [...bridges.keys()].map((bridge) => [...matchInterface('in', bridge), ...matchDestination(loopback), verdict('drop')]),
    },
    nat('prerouting', ({ hostIp }) => everyAddress(hostIp) || !contains(loopback, parseIpv4(hostIp))),
    nat('output', () => true),
    {
      name: 'postrouting',
      type: 'nat',
      hook: 'postrouting',
      priority: priorities.sourceNat,
      policy: 'accept',
      rules: [...bridges].flatMap(([bridge, subnet]) =>
        [loopback, parseIpv4Prefix(subnet)].map((source) => [
          ...matchSource(source),
          ...matchInterface('out', bridge),
          ...matchTranslatedDestination(),
          masquerade(),
        ]),
      ),
    },
  ]);
}

function translation(address: string, { protocol, hostIp, hostPort, containerPort }: PortMapping): readonly NftExpression[] {
  return [
    ...(everyAddress(hostIp) ? matchLocalDestination() : matchDestination(parseIpv4Prefix(hostIp))),
    ...matchDestinationPort(protocol, hostPort),
    ...translateDestination(parseIpv4(address), containerPort),
  ];
}
