import { type LogLevel, logLevels } from '../base/index.ts';
import type { FlagTable } from '../cli/flags/flags.ts';
import { UsageError } from '../cli/usage-error.ts';

/** Of faces that listen at a socket. */
export const logFlags = {
  'log-level': { kind: 'string', short: 'l', help: '"debug", "info", "warn", "error" or "fatal" (default "info")' },
  'log-format': { kind: 'string', help: '"text" or "json" (default "text")' },
  'ready-fd': { kind: 'int', help: 'Descriptor that gets one line once the socket listens' },
} as const satisfies FlagTable;

export interface LogSettings {
  readonly logLevel: LogLevel;
  readonly logFormat: 'text' | 'json';
  readonly readyFd: number | undefined;
}

export function logSettings(values: {
  readonly 'log-level'?: string | undefined;
  readonly 'log-format'?: string | undefined;
  readonly 'ready-fd'?: number | undefined;
}): LogSettings {
  return {
    logLevel: oneOf('log-level', values['log-level'] ?? 'info', logLevels),
    logFormat: oneOf('log-format', values['log-format'] ?? 'text', ['text', 'json']),
    readyFd: values['ready-fd'],
  };
}

/** @throws UsageError */
export function oneOf<T extends string>(name: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((item) => item === value);
  if (found === undefined) throw new UsageError(`invalid value ${JSON.stringify(value)} for --${name}: must be one of ${allowed.join(', ')}`);
  return found;
}

/** Without slashes at its end. @throws UsageError */
export function absolutePath(name: string, value: string): string {
  if (!value.startsWith('/') || value.includes('\0')) throw new UsageError(`${name} must be an absolute path`);
  return value.length > 1 ? value.replace(/\/+$/, '') : value;
}

/** The same of a socket, which may be named as a URL. @throws UsageError */
export function socketPath(name: string, value: string): string {
  return absolutePath(name, value.replace(/^unix:\/\//, ''));
}
