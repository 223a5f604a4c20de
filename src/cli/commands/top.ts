import { defineCommand } from '../command.ts';
import { alignColumns } from '../format/table.ts';

export const top = defineCommand({
  name: 'top',
  usage: 'CONTAINER [ps OPTIONS]',
  summary: 'Show the processes of a container',
  flags: {},
  stopAtArgument: true,
  minArgs: 1,
  maxArgs: Number.POSITIVE_INFINITY,
  async run(context, { args }) {
    const [container, ...options] = args;
    const answer = await context.client.get<{ readonly Titles: readonly string[]; readonly Processes: readonly (readonly string[])[] }>(
      `/containers/${container}/top`,
      {
        query: { ps_args: options.length > 0 ? options.join(' ') : undefined },
      },
    );
    context.out(alignColumns([answer.Titles, ...answer.Processes]));
    return 0;
  },
});
