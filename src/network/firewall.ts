import {
  masquerade,
  matchEstablished,
  matchInterface,
  matchSource,
  matchTranslatedDestination,
  type NetlinkPart,
  type NftChain,
  parseIpv4Prefix,
  replaceTable,
  verdict,
} from '../kernel/netlink/index.ts';
import type { StoredNetwork } from './network-store.ts';

/** NF_IP_PRI_NAT_SRC and NF_IP_PRI_FILTER (linux/netfilter_ipv4.h) */
const priorities = { sourceNat: 100, filter: 0 } as const;

/**
 * The whole table for these networks. What leaves a network through another interface gets the host's address; into a network comes what belongs to a
 * connection from it, what its own members send, and what ports of the machine lead to it; nothing else, also not from the other networks, unless they are not shielded. An internal network
 * neither sends out.
 */
export function firewallTable(table: string, networks: readonly StoredNetwork[], shielded: boolean): NetlinkPart {
  const external = networks.filter(({ internal }) => !internal);
  return replaceTable(table, [
    {
      name: 'postrouting',
      type: 'nat',
      hook: 'postrouting',
      priority: priorities.sourceNat,
      policy: 'accept',
      rules: external
        .filter(({ options }) => options['com.docker.network.bridge.enable_ip_masquerade'] !== 'false')
        .map(({ subnet, bridge }) => [...matchSource(parseIpv4Prefix(subnet)), ...matchInterface('out', bridge, false), masquerade()]),
    },
    ...(shielded ? [forwardChain(networks)] : []),
  ]);
}

function forwardChain(networks: readonly StoredNetwork[]): NftChain {
  return {
    name: 'forward',
    type: 'filter',
    hook: 'forward',
    priority: priorities.filter,
    policy: 'accept',
    rules: [
      ...networks
        .filter(({ internal }) => internal)
        .map(({ bridge }) => [...matchInterface('in', bridge), ...matchInterface('out', bridge, false), verdict('drop')]),
      [...matchEstablished(), verdict('accept')],
      ...networks.flatMap(({ bridge, options }) => [
        [
          ...matchInterface('in', bridge),
          ...matchInterface('out', bridge),
          verdict(options['com.docker.network.bridge.enable_icc'] === 'false' ? 'drop' : 'accept'),
        ],
        // A port of the machine leads there.
        [...matchInterface('out', bridge), ...matchTranslatedDestination(), verdict('accept')],
        [...matchInterface('out', bridge), verdict('drop')],
      ]),
    ],
  };
}
