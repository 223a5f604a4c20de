import { StrakeError } from '../../../base/index.ts';
import type { CreateRequest } from '../../lifecycle/create.ts';
import type { FlagTable, ParsedFlags } from '../flags.ts';

/** Flags that create and run share. */
export const createFlags: FlagTable = {
  bundle: { kind: 'string', alias: 'b' },
  config: { kind: 'string', alias: 'f' },
  'console-socket': { kind: 'string' },
  'pidfd-socket': { kind: 'string' },
  'pid-file': { kind: 'string' },
  'no-pivot': { kind: 'bool' },
  'no-subreaper': { kind: 'bool' },
  'no-new-keyring': { kind: 'bool' },
  'preserve-fds': { kind: 'string' },
  trace: { kind: 'string' },
};

export function createRequest(flags: ParsedFlags): CreateRequest {
  return {
    id: flags.args[0] ?? '',
    bundle: flags.string('bundle') || '.',
    configFile: flags.string('config') || undefined,
    pidFile: flags.string('pid-file'),
    consoleSocket: flags.string('console-socket') || undefined,
    pidfdSocket: flags.string('pidfd-socket') || undefined,
    preserveFds: descriptorCount(flags),
    noPivot: flags.bool('no-pivot'),
    noNewKeyring: flags.bool('no-new-keyring'),
  };
}

/** How many descriptors from 3 on are for the process. */
export function descriptorCount(flags: ParsedFlags): number {
  const text = flags.string('preserve-fds') ?? '0';
  if (!/^\d{1,4}$/.test(text)) throw new StrakeError('InvalidArgument', `invalid value "${text}" for flag -preserve-fds`, { fields: { layer: 'runtime' } });
  return Number(text);
}
