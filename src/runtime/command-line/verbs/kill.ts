import { killContainer, parseSignal } from '../../lifecycle/kill.ts';
import type { Command } from '../command.ts';
import { minArgs } from '../flags.ts';

export const kill: Command = {
  usage: 'kill [--all] ID [SIGNAL]',
  flags: { all: { kind: 'bool', alias: 'a' } },
  run(context, flags) {
    minArgs('kill', flags.args, 1);
    killContainer(context, flags.args[0] ?? '', parseSignal(flags.args[1] ?? 'SIGTERM'), flags.bool('all'));
    return 0;
  },
};
