import { setFrozen } from '../../lifecycle/freeze.ts';
import type { Command } from '../command.ts';
import { exactArgs } from '../flags.ts';

export const pause = freezeCommand('pause', true);
export const resume = freezeCommand('resume', false);

function freezeCommand(verb: string, frozen: boolean): Command {
  return {
    usage: `${verb} <container-id>`,
    flags: {},
    async run(context, { args }) {
      exactArgs(verb, args, 1);
      await setFrozen(context, args[0] ?? '', frozen);
      return 0;
    },
  };
}
