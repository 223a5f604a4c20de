import { defineCommand } from '../command.ts';
import { ExitStatus } from '../exit-status.ts';
import { writeOutput } from '../stdio/output-file.ts';

export const exportContainer = defineCommand({
  name: 'export',
  usage: '[OPTIONS] CONTAINER',
  summary: "Write a container's root filesystem as a tar archive",
  flags: { output: { kind: 'string', short: 'o', help: 'Write to a file, instead of stdout' } },
  minArgs: 1,
  maxArgs: 1,
  async run(context, { values, args: [container = ''] }) {
    if (values.output === undefined && context.isTerminal(1)) throw new ExitStatus(1, 'cowardly refusing to save to a terminal. Use the -o flag or redirect');
    const response = await context.client.call('GET', `/containers/${encodeURIComponent(container)}/export`);
    await writeOutput(context, values.output, response.body);
    return 0;
  },
});
