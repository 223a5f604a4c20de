import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname as machineName } from 'node:os';
import type { criPod } from '../../api/cri/index.ts';
import type { CriContext } from '../context.ts';
import { podPaths } from '../paths.ts';

/** resolv.conf(5): what glibc reads of a list of search domains. */
const mostSearchBytes = 2048;
const mostSearches = 32;

/** Writes what the pod's containers see as /etc/hostname, /etc/hosts and /etc/resolv.conf; the kubelet lays its own /etc/hosts over it. */
export function writeHostFiles({ paths }: Pick<CriContext, 'paths'>, podId: string, config: criPod.PodSandboxConfig): void {
  const files = podPaths(paths, podId);
  mkdirSync(files.directory, { recursive: true, mode: 0o755 });
  writeFileSync(files.hostname, `${config.hostname === '' ? machineName() : config.hostname}\n`, { mode: 0o644 });
  writeFileSync(files.hosts, readMachines('/etc/hosts'), { mode: 0o644 });
  writeFileSync(files.resolvConf, config.dnsConfig === undefined ? readMachines('/etc/resolv.conf') : resolvConf(config.dnsConfig), { mode: 0o644 });
}

export function resolvConf({ servers, searches, options }: Pick<criPod.DNSConfig, 'servers' | 'searches' | 'options'>): string {
  const search = searches.slice(0, mostSearches).join(' ').slice(0, mostSearchBytes);
  return [
    ...(search === '' ? [] : [`search ${search}\n`]),
    ...servers.map((server) => `nameserver ${server}\n`),
    ...(options.length === 0 ? [] : [`options ${options.join(' ')}\n`]),
  ].join('');
}

function readMachines(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
