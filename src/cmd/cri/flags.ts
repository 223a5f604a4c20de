import { type LogLevel, logLevels } from '../../base/index.ts';
import type { FlagTable } from '../../cli/flags/flags.ts';
import { formatFlags } from '../../cli/flags/help.ts';
import { parseFlags } from '../../cli/flags/parse.ts';
import { UsageError } from '../../cli/usage-error.ts';

export interface CriSettings {
  readonly root: string;
  readonly state: string;
  /** Path of the unix socket. */
  readonly address: string;
  /** Where exec, attach and port-forward are served. */
  readonly streams: { readonly address: string; readonly port: number };
  readonly cgroupDriver: 'cgroupfs' | 'systemd';
  /** Other OCI runtimes, by the name of their handler. */
  readonly runtimes: Readonly<Record<string, string>>;
  readonly alwaysPause: boolean;
  readonly pinned: readonly string[];
  /** Directories with a folder for a registry. */
  readonly registryConfig: readonly string[] | undefined;
  readonly podSubnet: string | undefined;
  readonly logLevel: LogLevel;
  readonly logFormat: 'text' | 'json';
  readonly readyFd: number | undefined;
  readonly help: boolean;
}

const table = {
  address: { kind: 'string', short: 'a', value: 'PATH', help: 'Unix socket to listen on (default "STATE/cri.sock")' },
  root: { kind: 'string', value: 'DIR', help: 'Directory of persistent state (default "/var/lib/strake")' },
  state: { kind: 'string', value: 'DIR', help: 'Directory of execution state (default "/run/strake")' },
  'stream-address': { kind: 'string', value: 'ADDRESS', help: 'Where exec, attach and port-forward are served (default "127.0.0.1")' },
  'stream-port': { kind: 'int', help: 'Port for that (default one that is free)' },
  'cgroup-driver': { kind: 'string', help: '"cgroupfs" or "systemd", as the kubelet has it (default "cgroupfs")' },
  runtime: { kind: 'list', value: 'NAME=PATH', help: 'Another OCI runtime for pods of the runtime class NAME' },
  'pause-process': { kind: 'bool', help: 'Every pod gets a process of its own, not only those whose containers share processes or users' },
  'pinned-image': { kind: 'list', value: 'IMAGE', help: 'Image that the kubelet is not to collect' },
  'registry-config': { kind: 'list', value: 'DIR', help: 'Directory with a folder for each registry (hosts.toml)' },
  'pod-subnet': { kind: 'string', value: 'CIDR', help: 'Addresses of pods, where there is no CNI configuration' },
  'log-level': { kind: 'string', short: 'l', help: '"debug", "info", "warn", "error" or "fatal" (default "info")' },
  'log-format': { kind: 'string', help: '"text" or "json" (default "text")' },
  'ready-fd': { kind: 'int', help: 'Descriptor that gets one line once the socket listens' },
} as const satisfies FlagTable;

export function parseCriFlags(argv: readonly string[]): CriSettings {
  const { values, args, help } = parseFlags(table, argv, { stopAtArgument: false });
  if (args.length > 0) throw new UsageError(`unexpected argument ${JSON.stringify(args[0])}`);
  const state = absolute('state', values.state ?? '/run/strake');
  return {
    root: absolute('root', values.root ?? '/var/lib/strake'),
    state,
    address: absolute('address', (values.address ?? `${state}/cri.sock`).replace(/^unix:\/\//, '')),
    streams: { address: values['stream-address'] ?? '127.0.0.1', port: values['stream-port'] ?? 0 },
    cgroupDriver: oneOf('cgroup-driver', values['cgroup-driver'] ?? 'cgroupfs', ['cgroupfs', 'systemd']),
    runtimes: Object.fromEntries(values.runtime.map(runtime)),
    alwaysPause: values['pause-process'],
    pinned: values['pinned-image'],
    registryConfig: values['registry-config'].length === 0 ? undefined : values['registry-config'],
    podSubnet: values['pod-subnet'],
    logLevel: oneOf('log-level', values['log-level'] ?? 'info', logLevels),
    logFormat: oneOf('log-format', values['log-format'] ?? 'text', ['text', 'json']),
    readyFd: values['ready-fd'],
    help,
  };
}

export function criUsage(): string {
  return `Usage:  strake cri [OPTIONS]\n\nServe pods, containers and images by the container runtime interface of Kubernetes\n\nOptions:\n${formatFlags(table)}`;
}

function runtime(text: string): readonly [string, string] {
  const [, name = '', path = ''] = /^([a-zA-Z0-9][\w.-]*)=(\/.*)$/.exec(text) ?? [];
  if (name === '') throw new UsageError(`invalid value ${JSON.stringify(text)} for --runtime: must be NAME=PATH`);
  return [name, path];
}

function oneOf<T extends string>(name: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((item) => item === value);
  if (found === undefined) throw new UsageError(`invalid value ${JSON.stringify(value)} for --${name}: must be ${allowed.join(', ')}`);
  return found;
}

function absolute(name: string, value: string): string {
  if (!value.startsWith('/') || value.includes('\0')) throw new UsageError(`${name} must be an absolute path`);
  return value.length > 1 ? value.replace(/\/+$/, '') : value;
}
