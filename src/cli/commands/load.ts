import { defineCommand } from '../command.ts';
import { ExitStatus } from '../exit-status.ts';
import { platformQuery } from '../platform-query.ts';
import type { ProgressMessage } from '../progress.ts';
import { showMessages } from '../show-messages.ts';
import { readInput } from '../stdio/input-file.ts';

export const load = defineCommand({
  name: 'load',
  usage: '[OPTIONS]',
  summary: 'Load images from a tar archive',
  flags: {
    input: { kind: 'string', short: 'i', help: 'Read from a file, instead of stdin' },
    platform: { kind: 'string', help: 'Load only this platform (linux/arm64)' },
    quiet: { kind: 'bool', short: 'q', help: 'Do not show progress' },
  },
  minArgs: 0,
  maxArgs: 0,
  async run(context, { values }) {
    if (values.input === undefined && context.isTerminal(0)) throw new ExitStatus(1, 'requested load from stdin, but stdin is empty');
    const chunks = await readInput(values.input);
    const messages = context.client.lines<ProgressMessage>('POST', '/images/load', {
      query: { quiet: values.quiet || !context.isTerminal(1), platform: platformQuery(values.platform) },
      upload: { contentType: 'application/x-tar', chunks },
    });
    await showMessages(context, messages);
    return 0;
  },
});
