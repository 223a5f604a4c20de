import { type LogLevel, logLevels } from '../../base/index.ts';
import type { FlagTable } from '../../cli/flags/flags.ts';
import { formatFlags } from '../../cli/flags/help.ts';
import { parseFlags } from '../../cli/flags/parse.ts';
import { UsageError } from '../../cli/usage-error.ts';
import { absolutePath, socketPath } from '../flag-values.ts';
import { type ContainerdConfig, readConfig } from './config.ts';

/** containerd's flags and, where they are silent, its configuration file. */
export interface ContainerdSettings {
  readonly root: string;
  readonly state: string;
  /** Path of the unix socket. */
  readonly address: string;
  readonly logLevel: LogLevel;
  readonly logFormat: 'text' | 'json';
  readonly readyFd: number | undefined;
  readonly config: ContainerdConfig;
  /** What the configuration came from. */
  readonly configFile: string;
  readonly help: boolean;
}

const defaultConfigFile = '/etc/strake/containerd.toml';

const table = {
  address: { kind: 'string', short: 'a', value: 'PATH', help: 'Unix socket to listen on (default "STATE/containerd.sock")' },
  config: { kind: 'string', short: 'c', value: 'FILE', help: `Configuration, as containerd's config.toml (default "${defaultConfigFile}", where it is there)` },
  root: { kind: 'string', value: 'DIR', help: 'Directory of persistent state (default "/var/lib/strake")' },
  state: { kind: 'string', value: 'DIR', help: 'Directory of execution state (default "/run/strake")' },
  'log-level': { kind: 'string', short: 'l', help: '"trace", "debug", "info", "warn", "error", "fatal" or "panic" (default "info")' },
  'log-format': { kind: 'string', help: '"text" or "json" (default "text")' },
  'ready-fd': { kind: 'int', help: 'Descriptor that gets one line once the socket listens' },
} as const satisfies FlagTable;

/** containerd's levels beyond ours. */
const levels: Readonly<Record<string, LogLevel>> = { ...Object.fromEntries(logLevels.map((level) => [level, level])), trace: 'debug', panic: 'fatal' };

export function parseContainerdFlags(argv: readonly string[]): ContainerdSettings {
  const { values, args, help } = parseFlags(table, argv, { stopAtArgument: false });
  if (args.length > 0) throw new UsageError(`unexpected argument ${JSON.stringify(args[0])}`);
  const configFile = absolutePath('config', values.config ?? defaultConfigFile);
  const config = readConfig(configFile, values.config !== undefined);
  const state = absolutePath('state', values.state ?? config.state ?? '/run/strake');
  const logLevel = values['log-level'] === undefined ? (config.logLevel ?? 'info') : levels[values['log-level']];
  if (logLevel === undefined) throw new UsageError(`invalid value ${JSON.stringify(values['log-level'])} for --log-level`);
  const logFormat = values['log-format'] ?? config.logFormat ?? 'text';
  if (logFormat !== 'text' && logFormat !== 'json') throw new UsageError(`invalid value ${JSON.stringify(logFormat)} for --log-format: must be text or json`);
  return {
    root: absolutePath('root', values.root ?? config.root ?? '/var/lib/strake'),
    state,
    address: socketPath('address', values.address ?? config.address ?? `${state}/containerd.sock`),
    logLevel,
    logFormat,
    readyFd: values['ready-fd'],
    config,
    configFile,
    help,
  };
}

export function containerdUsage(): string {
  return `Usage:  strake containerd [OPTIONS]\n\nServe images, snapshots, containers and tasks by containerd's API\n\nOptions:\n${formatFlags(table)}`;
}
