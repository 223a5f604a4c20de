import { defineCommand } from '../command.ts';
import { containerFlags } from '../container-options/flags.ts';
import { createContainer } from '../create-container.ts';

export const create = defineCommand({
  name: 'create',
  usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
  summary: 'Create a new container',
  flags: containerFlags,
  stopAtArgument: true,
  minArgs: 1,
  maxArgs: Number.POSITIVE_INFINITY,
  async run(context, parsed) {
    context.out(`${await createContainer(context, parsed)}\n`);
    return 0;
  },
});
