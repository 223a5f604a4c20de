import { defineCommand } from '../command.ts';

export const rename = defineCommand({
  name: 'rename',
  usage: 'CONTAINER NEW_NAME',
  summary: 'Rename a container',
  flags: {},
  minArgs: 2,
  maxArgs: 2,
  async run(context, { args }) {
    await context.client.post(`/containers/${args[0]}/rename`, { query: { name: args[1] } });
    return 0;
  },
});
