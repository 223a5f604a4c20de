import { readFileSync } from 'node:fs';
import type { V1PodSpec } from '../kubernetes.ts';

export interface Dns {
  readonly servers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly string[];
}

export interface ClusterDns {
  /** Empty: there is no DNS of a cluster, and pods have the machine's. */
  readonly servers: readonly string[];
  readonly domain: string;
}

/** resolv.conf(5): the resolver reads three servers and six search domains; Kubernetes allows more domains. */
const maxServers = 3;
const maxSearches = 32;

/** What stands in a pod's resolv.conf (kubernetes.io, "DNS for Services and Pods"). */
export function podDns(spec: V1PodSpec, namespace: string, cluster: ClusterDns, machineFile: string): Dns {
  const { dnsPolicy, dnsConfig, hostNetwork } = spec;
  const base = baseDns();
  const options = new Map([
    ...base.options.map(splitOption),
    ...(dnsConfig?.options ?? []).map(({ name, value }): [string, string | undefined] => [name ?? '', value]),
  ]);
  return {
    servers: unique([...base.servers, ...(dnsConfig?.nameservers ?? [])]).slice(0, maxServers),
    searches: unique([...base.searches, ...(dnsConfig?.searches ?? [])]).slice(0, maxSearches),
    options: [...options].map(([name, value]) => (value === undefined || value === '' ? name : `${name}:${value}`)),
  };

  function baseDns(): Dns {
    if (dnsPolicy === 'None') return { servers: [], searches: [], options: [] };
    const ofMachine = readResolvConf(machineFile);
    const ofCluster = dnsPolicy === 'ClusterFirstWithHostNet' || (dnsPolicy === 'ClusterFirst' && hostNetwork !== true);
    if (!ofCluster || cluster.servers.length === 0) return ofMachine;
    const searches = [`${namespace}.svc.${cluster.domain}`, `svc.${cluster.domain}`, cluster.domain];
    return { servers: cluster.servers, searches: [...searches, ...ofMachine.searches], options: ['ndots:5'] };
  }
}

function readResolvConf(file: string): Dns {
  const dns = { servers: [] as string[], searches: [] as string[], options: [] as string[] };
  let text = '';
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    // A machine without one has no DNS, and neither have its pods.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  for (const line of text.split('\n')) {
    const [keyword, ...words] = line.trim().split(/\s+/);
    if (keyword === 'nameserver' && words[0] !== undefined) dns.servers.push(words[0]);
    // The last of the lines counts.
    else if (keyword === 'search' || keyword === 'domain') dns.searches = words;
    else if (keyword === 'options') dns.options.push(...words);
  }
  return dns;
}

function splitOption(option: string): [string, string | undefined] {
  const [name = '', value] = option.split(':', 2);
  return [name, value];
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)];
}
