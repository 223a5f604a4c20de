import { restoreContainer } from '../../lifecycle/restore.ts';
import type { Command } from '../command.ts';
import { exactArgs } from '../flags.ts';
import { criuFlags, criuRequestOf } from './criu-flags.ts';

export const restore: Command = {
  usage: 'restore [options] <container-id>',
  flags: {
    ...criuFlags,
    bundle: { kind: 'string', alias: 'b' },
    'console-socket': { kind: 'string' },
    detach: { kind: 'bool', alias: 'd' },
    'pid-file': { kind: 'string' },
    'no-subreaper': { kind: 'bool' },
    'no-pivot': { kind: 'bool' },
    'lsm-profile': { kind: 'string' },
    'lsm-mount-context': { kind: 'string' },
  },
  run(context, flags) {
    exactArgs('restore', flags.args, 1);
    return restoreContainer(context, {
      ...criuRequestOf(flags),
      bundle: flags.string('bundle') || '.',
      detach: flags.bool('detach'),
      pidFile: flags.string('pid-file') || undefined,
      consoleSocket: flags.string('console-socket') || undefined,
      lsmProfile: flags.string('lsm-profile') || undefined,
      lsmMountContext: flags.string('lsm-mount-context') || undefined,
    });
  },
};
