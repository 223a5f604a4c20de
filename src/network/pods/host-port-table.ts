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
import type { PodPortMapping } from './pod-network.ts';

/** NF_IP_PRI_* (linux/netfilter_ipv4.h) */
const priorities = { raw: -300, destinationNat: -100, sourceNat: 100 } as const;
const loopback = parseIpv4Prefix('127.0.0.0/8');

/** The ports of the machine that lead to a pod. */
export interface PodHostPorts {
  readonly podId: string;
  /** the pod's IPv4 address */
  readonly address: string;
  readonly ports: readonly PodPortMapping[];
}

export interface HostPortRules {
  readonly bridge: string;
  /** CIDR */
  readonly subnet: string;
  readonly pods: readonly PodHostPorts[];
}

/**
 * The table of the ports that lead to pods. What the loopback of the machine sends to one, and what another pod of the bridge does, gets the bridge's
 * address, as the answer would go past the translation else. Nothing that a pod makes up for the machine's loopback comes in (CVE-2020-8558).
 */
export function hostPortTable(table: string, { bridge, subnet, pods }: HostPortRules): NetlinkPart {
  const translations = pods.flatMap(translationsOf);
  const nat = (hook: 'prerouting' | 'output'): NftChain => ({
    name: hook,
    type: 'nat',
    hook,
    priority: priorities.destinationNat,
    policy: 'accept',
    rules: translations,
  });
  return replaceTable(table, [
    {
      name: 'forged',
      type: 'filter',
      hook: 'prerouting',
      priority: priorities.raw,
      policy: 'accept',
      rules: [[...matchInterface('in', bridge), ...matchDestination(loopback), verdict('drop')]],
    },
    nat('prerouting'),
    nat('output'),
    {
      name: 'postrouting',
      type: 'nat',
      hook: 'postrouting',
      priority: priorities.sourceNat,
      policy: 'accept',
      rules: [loopback, parseIpv4Prefix(subnet)].map((source) => [
        ...matchSource(source),
        ...matchInterface('out', bridge),
        ...matchTranslatedDestination(),
        masquerade(),
      ]),
    },
  ]);
}

function translationsOf({ address, ports }: PodHostPorts): readonly (readonly NftExpression[])[] {
  return ports.map(({ protocol, hostIp, hostPort, containerPort }) => [
    ...(everyAddress(hostIp) ? matchLocalDestination() : matchDestination(parseIpv4Prefix(hostIp))),
    ...matchDestinationPort(protocol, hostPort),
    ...translateDestination(parseIpv4(address), containerPort),
  ]);
}

/** Whether a mapping is for every address of the machine. */
export function everyAddress(hostIp: string): boolean {
  return hostIp === '' || hostIp === '0.0.0.0';
}
