import { readState } from '../../lifecycle/state.ts';
import type { Command } from '../command.ts';
import { exactArgs } from '../flags.ts';

export const state: Command = {
  usage: 'state <container-id>',
  flags: {},
  run({ store }, { args }, print) {
    exactArgs('state', args, 1);
    print(JSON.stringify(readState(store, args[0] ?? ''), undefined, 2));
    return 0;
  },
};
