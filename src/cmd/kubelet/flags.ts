import os from 'node:os';
import { type LogLevel, logLevels } from '../../base/index.ts';
import type { FlagTable, FlagValues } from '../../cli/flags/flags.ts';
import { formatFlags } from '../../cli/flags/help.ts';
import { parseFlags } from '../../cli/flags/parse.ts';
import { UsageError } from '../../cli/usage-error.ts';
import { type BackoffTimes, defaultBackoff, isQuantity, type LogLimits, quantityUnits } from '../../kubelet/index.ts';
import { oneOf } from '../flag-values.ts';

/** What both `strake kubelet` and `strake kube` are told of the machine. */
export interface NodeFlags {
  /** Path of the container runtime's socket. */
  readonly cri: string;
  readonly rootDir: string;
  readonly podLogsDir: string;
  readonly nodeName: string;
  readonly nodeIP: string | undefined;
  readonly resolvConf: string;
  readonly clusterDns: readonly string[];
  readonly clusterDomain: string;
  readonly cgroupRoot: string;
  readonly seccompDefault: boolean;
  readonly restartBackoff: BackoffTimes;
  readonly logs: LogLimits;
  readonly logLevel: LogLevel;
  readonly logFormat: 'text' | 'json';
}

export interface KubeletFlags extends NodeFlags {
  readonly manifests: readonly string[];
  /** undefined: there is no such port. */
  readonly readOnly: { readonly host: string; readonly port: number } | undefined;
  readonly readyFd: number | undefined;
  readonly help: boolean;
}

export const nodeFlagTable = {
  cri: { kind: 'string', value: 'PATH', help: 'Socket of the container runtime (default "/run/strake/cri.sock")' },
  'root-dir': { kind: 'string', value: 'DIR', help: 'Directory of what pods have (default "/var/lib/strake-kubelet")' },
  'pod-logs-dir': { kind: 'string', value: 'DIR', help: 'Directory of containers\' logs (default "/var/log/pods")' },
  'hostname-override': { kind: 'string', value: 'NAME', help: "What the machine is called (default: the machine's own name)" },
  'node-ip': { kind: 'string', value: 'IP', help: 'The address of the machine that pods are told (default: its first)' },
  'resolv-conf': { kind: 'string', value: 'FILE', help: 'What pods\' DNS comes from (default "/etc/resolv.conf")' },
  'cluster-dns': { kind: 'list', value: 'IP', help: 'DNS server of a cluster, for pods whose dnsPolicy wants one, repeatable' },
  'cluster-domain': { kind: 'string', value: 'NAME', help: 'Domain of the cluster (default "cluster.local")' },
  'cgroup-root': { kind: 'string', value: 'PATH', help: 'Cgroup below which pods are (default "/")' },
  'seccomp-default': { kind: 'bool', on: true, help: "Containers that say nothing of seccomp have the runtime's profile" },
  'restart-backoff': { kind: 'string', value: 'TIME', help: 'Pause before the second restart of a container, which doubles with each (default "10s")' },
  'max-restart-backoff': { kind: 'string', value: 'TIME', help: 'The longest such pause (default "5m")' },
  'container-log-max-size': { kind: 'string', value: 'SIZE', help: 'A container\'s log is rotated at this size (default "10Mi")' },
  'container-log-max-files': { kind: 'int', value: 'N', help: 'So many files a container has at most, from 2 (default 5)' },
  'log-level': { kind: 'string', help: '"debug", "info", "warn" or "error" (default "info")' },
  'log-format': { kind: 'string', help: '"text" or "json" (default "text")' },
} as const satisfies FlagTable;

const table = {
  manifests: { kind: 'list', value: 'DIR', help: 'Directory of manifests of pods and of what they refer to, repeatable' },
  ...nodeFlagTable,
  'read-only-port': { kind: 'int', value: 'PORT', help: 'Port of /pods and /healthz (default 10255); 0: none' },
  'read-only-address': { kind: 'string', value: 'HOST', help: 'Address of that port (default "127.0.0.1")' },
  'ready-fd': { kind: 'int', help: 'Descriptor that gets one line once the kubelet runs' },
} as const satisfies FlagTable;

export function parseKubeletFlags(argv: readonly string[]): KubeletFlags {
  const { values, args, help } = parseFlags(table, argv, { stopAtArgument: false });
  if (args.length > 0) throw new UsageError(`unexpected argument ${JSON.stringify(args[0])}`);
  if (values.manifests.length === 0 && !help) throw new UsageError('--manifests is required');
  const port = values['read-only-port'] ?? 10_255;
  if (port < 0 || port > 65_535) throw new UsageError('--read-only-port must be a port');
  return {
    ...nodeFlags(values),
    manifests: values.manifests.map((directory) => absolute('manifests', directory)),
    readOnly: port === 0 ? undefined : { host: values['read-only-address'] ?? '127.0.0.1', port },
    readyFd: values['ready-fd'],
    help,
  };
}

export function kubeletUsage(): string {
  return `Usage:  strake kubelet --manifests DIR [OPTIONS]\n\nRun the pods of a directory's manifests on a container runtime\n\nOptions:\n${formatFlags(table)}`;
}

export function nodeFlags(values: FlagValues<typeof nodeFlagTable>): NodeFlags {
  const initialMs = duration('restart-backoff', values['restart-backoff'], defaultBackoff.initialMs);
  const maxMs = duration('max-restart-backoff', values['max-restart-backoff'], Math.max(defaultBackoff.maxMs, initialMs));
  if (maxMs < initialMs) throw new UsageError('--max-restart-backoff is less than --restart-backoff');
  return {
    cri: absolute('cri', (values.cri ?? '/run/strake/cri.sock').replace(/^unix:\/\//, '')),
    rootDir: absolute('root-dir', values['root-dir'] ?? '/var/lib/strake-kubelet'),
    podLogsDir: absolute('pod-logs-dir', values['pod-logs-dir'] ?? '/var/log/pods'),
    nodeName: values['hostname-override'] ?? os.hostname().toLowerCase(),
    nodeIP: values['node-ip'],
    resolvConf: absolute('resolv-conf', values['resolv-conf'] ?? '/etc/resolv.conf'),
    clusterDns: values['cluster-dns'],
    clusterDomain: values['cluster-domain'] ?? 'cluster.local',
    cgroupRoot: absolute('cgroup-root', values['cgroup-root'] ?? '/'),
    seccompDefault: values['seccomp-default'],
    restartBackoff: { initialMs, maxMs },
    logs: logLimits(values),
    logLevel: oneOf('log-level', values['log-level'] ?? 'info', logLevels),
    logFormat: oneOf('log-format', values['log-format'] ?? 'text', ['text', 'json'] as const),
  };
}

function logLimits(values: FlagValues<typeof nodeFlagTable>): LogLimits {
  const { 'container-log-max-size': size = '10Mi', 'container-log-max-files': files = 5 } = values;
  if (!isQuantity(size)) throw new UsageError(`invalid value ${JSON.stringify(size)} for --container-log-max-size: must be a size such as 10Mi`);
  if (files < 2) throw new UsageError('--container-log-max-files must be at least 2');
  return { maxBytes: Number(quantityUnits(size)), maxFiles: files };
}

const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

export function duration(name: string, text: string | undefined, whenAbsent: number): number {
  if (text === undefined) return whenAbsent;
  const [, count, unit = ''] = /^(\d{1,6})(ms|s|m|h)$/.exec(text) ?? [];
  if (count === undefined) throw new UsageError(`invalid value ${JSON.stringify(text)} for --${name}: must be a time such as 500ms, 10s or 5m`);
  return Number(count) * (unitsMs[unit] ?? 0);
}

function absolute(name: string, path: string): string {
  if (!path.startsWith('/')) throw new UsageError(`--${name} must be an absolute path`);
  return path;
}
