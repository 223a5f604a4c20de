import { startContainer } from '../../lifecycle/start.ts';
import type { Command } from '../command.ts';
import { exactArgs } from '../flags.ts';

export const start: Command = {
  usage: 'start <container-id>',
  flags: { trace: { kind: 'string' } },
  run(context, { args }) {
    exactArgs('start', args, 1);
    startContainer(context, args[0] ?? '');
    return 0;
  },
};
