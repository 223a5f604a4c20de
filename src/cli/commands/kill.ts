import { defineCommand } from '../command.ts';
import { forEachName } from '../for-each.ts';

export const kill = defineCommand({
  name: 'kill',
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  summary: 'Kill one or more running containers',
  flags: { signal: { kind: 'string', short: 's', help: 'Signal to send (default KILL)' } },
  minArgs: 1,
  maxArgs: Number.POSITIVE_INFINITY,
  run: (context, { values, args }) =>
    forEachName(context, args, async (container) => {
      await context.client.post(`/containers/${container}/kill`, { query: { signal: values.signal } });
      return container;
    }),
});
