import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { errorCode, errorMessage, StrakeError } from '../../base/index.ts';
import type { Container } from './container.ts';
import type { ConnectedNetwork, ContainerContext } from './context.ts';
import { containerPaths } from './paths.ts';
import { containerMode } from './spec/index.ts';

/** Entries of every container's /etc/hosts, as Docker writes them. */
const commonHosts: readonly (readonly [string, string])[] = [
  ['127.0.0.1', 'localhost'],
  ['::1', 'localhost ip6-localhost ip6-loopback'],
  ['fe00::', 'ip6-localnet'],
  ['ff00::', 'ip6-mcastprefix'],
  ['ff02::1', 'ip6-allnodes'],
  ['ff02::2', 'ip6-allrouters'],
];
/** Docker's fallback where the host has only resolvers on loopback, which a container cannot reach. */
const publicResolvers = ['8.8.8.8', '8.8.4.4'];

export interface HostFile {
  readonly source: string;
  readonly destination: string;
}

/** Writes hostname, hosts and resolv.conf for this run and says where they go; a container in another's network has the other's. */
export function writeHostFiles(context: ContainerContext, container: Container, hostname: string, network: ConnectedNetwork | undefined): readonly HostFile[] {
  const { hostConfig, config } = container.document;
  const owner = containerMode.exec(hostConfig.NetworkMode)?.[1];
  const paths = containerPaths(context, owner === undefined ? container : context.registry.get(owner));
  if (owner === undefined) {
    writeHostFile(paths.hostname, `${hostname}\n`);
    writeHostFile(paths.hosts, hosts(container, hostname, network));
    writeHostFile(paths.resolvConf, resolvConf(container));
  }
  return placed(paths, config.NetworkDisabled === true);
}

/** Those files as the last start left them; before the first one they are empty. None of a container whose network's owner is gone. */
export function lastHostFiles(context: ContainerContext, container: Container): readonly HostFile[] {
  const { hostConfig, config } = container.document;
  const owner = containerMode.exec(hostConfig.NetworkMode)?.[1];
  const writer = owner === undefined ? container : context.registry.find(owner);
  if (writer === undefined) return [];
  const paths = containerPaths(context, writer);
  mkdirSync(paths.directory, { recursive: true, mode: 0o710 });
  const files = placed(paths, config.NetworkDisabled === true);
  for (const { source } of files) closeSync(openSync(source, 'a', 0o644));
  return files;
}

function placed(paths: Pick<ReturnType<typeof containerPaths>, 'hostname' | 'hosts' | 'resolvConf'>, hostnameOnly: boolean): readonly HostFile[] {
  const hostname = { source: paths.hostname, destination: '/etc/hostname' };
  return hostnameOnly
    ? [hostname]
    : [{ source: paths.resolvConf, destination: '/etc/resolv.conf' }, hostname, { source: paths.hosts, destination: '/etc/hosts' }];
}

/** Errors of writing do not name the file. */
function writeHostFile(file: string, text: string): void {
  try {
    writeFileSync(file, text, { mode: 0o644 });
  } catch (cause) {
    throw new StrakeError(errorCode(cause), `${file}: ${errorMessage(cause)}`, { cause });
  }
}

export function effectiveHostname({ document: { config, hostConfig }, id }: Container): string {
  const own = config.Hostname;
  return (hostConfig.NetworkMode === 'host' || hostConfig.UTSMode === 'host') && (own === '' || own === id.slice(0, 12)) ? os.hostname() : own;
}

function hosts({ document: { config, hostConfig } }: Container, hostname: string, network: ConnectedNetwork | undefined): string {
  const base = hostConfig.NetworkMode === 'host' ? readHost('/etc/hosts') : lines(commonHosts);
  const extra = (hostConfig.ExtraHosts ?? []).flatMap((entry): readonly (readonly [string, string])[] => {
    const at = entry.indexOf(':');
    const address = entry.slice(at + 1).replace(/^\[(.*)\]$/, '$1');
    const target = address === 'host-gateway' ? (network?.gateway ?? '127.0.0.1') : address;
    return target === '' ? [] : [[target, entry.slice(0, at)]];
  });
  const names = config.Domainname === '' ? hostname : `${hostname}.${config.Domainname} ${hostname}`;
  return base + lines(extra) + lines((network?.addresses ?? []).map((address) => [address, names] as const));
}

function lines(entries: readonly (readonly [string, string])[]): string {
  return entries.map(([address, names]) => `${address}\t${names}\n`).join('');
}

/** The host's resolvers unless others are given; those on loopback only where the host's network is shared. */
function resolvConf({ document: { hostConfig } }: Container): string {
  const host = parseResolvConf(readHost('/etc/resolv.conf'));
  const shared = hostConfig.NetworkMode === 'host';
  const reachable = shared ? host.nameservers : host.nameservers.filter((address) => !/^(127\.|::1$)/.test(address));
  const isolated = hostConfig.NetworkMode === 'none';
  const nameservers = hostConfig.Dns.length > 0 ? hostConfig.Dns : reachable.length > 0 || isolated ? reachable : publicResolvers;
  const search = hostConfig.DnsSearch.length > 0 ? hostConfig.DnsSearch.filter((domain) => domain !== '.') : host.search;
  const options = hostConfig.DnsOptions.length > 0 ? hostConfig.DnsOptions : host.options;
  const { Dns, DnsSearch, DnsOptions } = hostConfig;
  const overrides = [...(Dns.length > 0 ? ['nameservers'] : []), ...(DnsSearch.length > 0 ? ['search'] : []), ...(DnsOptions.length > 0 ? ['options'] : [])];
  return [
    '# Generated by Strake, anew at each start of the container.\n\n',
    ...nameservers.map((address) => `nameserver ${address}\n`),
    ...(search.length > 0 ? [`search ${search.join(' ')}\n`] : []),
    ...(options.length > 0 ? [`options ${options.join(' ')}\n`] : []),
    `\n# Based on host file: '/etc/resolv.conf'\n# Overrides: [${overrides.join(' ')}]\n`,
  ].join('');
}

/** resolv.conf(5) */
function parseResolvConf(text: string) {
  const values = (keyword: string) =>
    text
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(([first]) => first === keyword)
      .map(([, ...rest]) => rest);
  return { nameservers: values('nameserver').map(([address]) => address ?? ''), search: values('search').at(-1) ?? [], options: values('options').flat() };
}

function readHost(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
