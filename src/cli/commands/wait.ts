import { defineCommand } from '../command.ts';
import { forEachName } from '../for-each.ts';
import { waitForExit } from '../wait-for-exit.ts';

export const wait = defineCommand({
  name: 'wait',
  usage: 'CONTAINER [CONTAINER...]',
  summary: 'Block until containers stop, then print their exit codes',
  flags: {},
  minArgs: 1,
  maxArgs: Number.POSITIVE_INFINITY,
  run: (context, { args }) =>
    forEachName(context, args, async (container) => String(await (await waitForExit(context.client, container, 'not-running')).status)),
});
