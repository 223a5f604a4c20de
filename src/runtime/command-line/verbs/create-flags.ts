import { StrakeError } from '../../../base/index.ts';
import type { CreateRequest } from '../../lifecycle/create.ts';
import type { FlagTable, ParsedFlags } from '../flags.ts';

/** Flags that create and run share. */
export const createFlags: FlagTable = {
  bundle: { kind: 'string', alias: 'b' },
  'console-socket': { kind: 'string' },
  'pidfd-socket': { kind: 'string' },
  'pid-file': { kind: 'string' },
  'no-pivot': { kind: 'bool' },
  'no-new-keyring': { kind: 'bool' },
  'preserve-fds': { kind: 'string' },
};

export function createRequest(flags: ParsedFlags): CreateRequest {
  refusePreservedDescriptors(flags);
  return {
    id: flags.args[0] ?? '',
    bundle: flags.string('bundle') ?? '.',
    pidFile: flags.string('pid-file'),
    consoleSocket: flags.string('console-socket') || undefined,
    noPivot: flags.bool('no-pivot'),
    noNewKeyring: flags.bool('no-new-keyring'),
  };
}

/** Descriptor 3 is strake-init's control connection. */
export function refusePreservedDescriptors(flags: ParsedFlags): void {
  if (Number(flags.string('preserve-fds') ?? 0) !== 0) throw unsupported('--preserve-fds');
  if (flags.string('pidfd-socket') !== undefined) throw unsupported('--pidfd-socket');
}

function unsupported(flag: string): StrakeError {
  return new StrakeError('Unimplemented', `${flag} is not supported`, { fields: { layer: 'runtime' } });
}
