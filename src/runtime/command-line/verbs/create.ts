import { createContainer } from '../../lifecycle/create.ts';
import type { Command } from '../command.ts';
import { exactArgs } from '../flags.ts';
import { createFlags, createRequest } from './create-flags.ts';

export const create: Command = {
  usage: 'create [options] <container-id>',
  flags: createFlags,
  run(context, flags) {
    exactArgs('create', flags.args, 1);
    createContainer(context, createRequest(flags));
    return 0;
  },
};
