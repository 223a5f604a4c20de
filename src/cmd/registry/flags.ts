import { type LogLevel, logLevels } from '../../base/index.ts';
import type { FlagTable } from '../../cli/flags/flags.ts';
import { formatFlags } from '../../cli/flags/help.ts';
import { parseFlags } from '../../cli/flags/parse.ts';
import { UsageError } from '../../cli/usage-error.ts';

export interface RegistryFlags {
  readonly address: HostPort;
  readonly root: string;
  readonly logLevel: LogLevel;
  readonly logFormat: 'text' | 'json';
  readonly readyFd: number | undefined;
  readonly help: boolean;
}

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

const table = {
  addr: { kind: 'string', value: 'HOST:PORT', help: 'Address to listen on (default "127.0.0.1:5000"); no host: all addresses' },
  root: { kind: 'string', value: 'DIR', help: 'Directory of all that is stored (default "/var/lib/strake-registry")' },
  'log-level': { kind: 'string', help: '"debug", "info", "warn" or "error" (default "info")' },
  'log-format': { kind: 'string', help: '"text" or "json" (default "text")' },
  'ready-fd': { kind: 'int', help: 'Descriptor that gets one line once the registry listens' },
} as const satisfies FlagTable;

export function parseRegistryFlags(argv: readonly string[]): RegistryFlags {
  const { values, args, help } = parseFlags(table, argv, { stopAtArgument: false });
  if (args.length > 0) throw new UsageError(`unexpected argument ${JSON.stringify(args[0])}`);
  const root = values.root ?? '/var/lib/strake-registry';
  if (!root.startsWith('/')) throw new UsageError('--root must be an absolute path');
  return {
    address: hostPort('addr', values.addr ?? '127.0.0.1:5000'),
    root,
    logLevel: oneOf('log-level', values['log-level'] ?? 'info', logLevels),
    logFormat: oneOf('log-format', values['log-format'] ?? 'text', ['text', 'json'] as const),
    readyFd: values['ready-fd'],
    help,
  };
}

export function registryUsage(): string {
  return `Usage:  strake registry [OPTIONS]\n\nServe images to others, as a registry (OCI distribution-spec 1.1)\n\nOptions:\n${formatFlags(table)}`;
}

function hostPort(name: string, text: string): HostPort {
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:/\s]*):(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (match === null || port > 65535) throw new UsageError(`invalid value ${JSON.stringify(text)} for --${name}: must be HOST:PORT`);
  return { host: (match[1] ?? '').replace(/^\[|\]$/g, ''), port };
}

function oneOf<T extends string>(name: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((item) => item === value);
  if (found === undefined) throw new UsageError(`invalid value ${JSON.stringify(value)} for --${name}: must be one of ${allowed.join(', ')}`);
  return found;
}
