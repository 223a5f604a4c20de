import path from 'node:path';
import { StrakeError } from '../../base/index.ts';
import type { FlagTable, ParsedFlags } from './flags.ts';
import { type LogLevel, type LogOptions, logLevels } from './log.ts';

/** runc's global flags, and crun's --log-level and --cgroup-manager. */
export const globalFlags: FlagTable = {
  debug: { kind: 'bool' },
  log: { kind: 'string' },
  'log-format': { kind: 'string' },
  'log-level': { kind: 'string' },
  root: { kind: 'string' },
  'systemd-cgroup': { kind: 'bool' },
  'cgroup-manager': { kind: 'string' },
  rootless: { kind: 'string' },
  criu: { kind: 'string' },
  trace: { kind: 'string' },
  help: { kind: 'bool', alias: 'h' },
  version: { kind: 'bool', alias: 'v' },
};

/** `--log` takes crun's `file:PATH` too; journald and syslog are refused: their daemons are for who reads our stderr. */
export function logOptions(globals: ParsedFlags): LogOptions {
  const format = globals.string('log-format') || 'text';
  if (format !== 'text' && format !== 'json') throw refuse(`invalid log-format: ${format}`);
  const target = globals.string('log') || undefined;
  const scheme = /^(journald|syslog):/.exec(target ?? '')?.[1];
  if (scheme !== undefined) throw refuse(`--log ${scheme}: is not supported: give a file, or leave the log on stderr`);
  const level = globals.bool('debug') ? 'debug' : (globals.string('log-level') ?? 'warning');
  if (!(logLevels as readonly string[]).includes(level)) throw refuse(`invalid log-level: ${level}: one of ${logLevels.join(', ')}`);
  return { file: target?.replace(/^file:/, ''), format, level: level as LogLevel };
}

/** The absolute directory of the state that `--root` names, if it does. runc refuses `/`, which an empty value comes to in the root directory. */
export function givenRoot(globals: ParsedFlags): string | undefined {
  const root = globals.string('root');
  if (root === undefined) return undefined;
  const absolute = path.resolve(root);
  if (absolute === '/') throw refuse('Option --root argument should not be set to /');
  return absolute;
}

function refuse(message: string): StrakeError {
  return new StrakeError('InvalidArgument', message, { fields: { layer: 'runtime' } });
}
