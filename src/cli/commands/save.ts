import { defineCommand } from '../command.ts';
import { ExitStatus } from '../exit-status.ts';
import { platformQuery } from '../platform-query.ts';
import { writeOutput } from '../stdio/output-file.ts';

export const save = defineCommand({
  name: 'save',
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  summary: 'Save images to a tar archive',
  flags: {
    output: { kind: 'string', short: 'o', help: 'Write to a file, instead of stdout' },
    platform: { kind: 'string', help: 'Save only this platform (linux/arm64)' },
  },
  minArgs: 1,
  maxArgs: Number.POSITIVE_INFINITY,
  async run(context, { values, args }) {
    if (values.output === undefined && context.isTerminal(1)) throw new ExitStatus(1, 'cowardly refusing to save to a terminal. Use the -o flag or redirect');
    const response = await context.client.call('GET', '/images/get', { query: { names: args, platform: platformQuery(values.platform) } });
    await writeOutput(context, values.output, response.body);
    return 0;
  },
});
