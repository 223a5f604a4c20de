import { runContainer } from '../../lifecycle/run.ts';
import type { Command } from '../command.ts';
import { exactArgs } from '../flags.ts';
import { createFlags, createRequest } from './create-flags.ts';

export const run: Command = {
  usage: 'run [options] <container-id>',
  flags: { ...createFlags, detach: { kind: 'bool', alias: 'd' }, keep: { kind: 'bool' }, learn: { kind: 'string' } },
  run(context, flags) {
    exactArgs('run', flags.args, 1);
    return runContainer(context, {
      ...createRequest(flags),
      detach: flags.bool('detach'),
      keep: flags.bool('keep'),
      learnFile: flags.string('learn') || undefined,
    });
  },
};
