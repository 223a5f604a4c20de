import { isCode } from '../../base/index.ts';
import { defineCommand } from '../command.ts';
import { forEachName } from '../for-each.ts';

export const rm = defineCommand({
  name: 'rm',
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  summary: 'Remove one or more containers',
  flags: {
    force: { kind: 'bool', short: 'f', help: 'Kill a running container first; a missing one is no error' },
    volumes: { kind: 'bool', short: 'v', help: 'Remove its anonymous volumes too' },
    link: { kind: 'bool', short: 'l', help: 'Remove a link', hidden: true },
  },
  minArgs: 1,
  maxArgs: Number.POSITIVE_INFINITY,
  run: (context, { values, args }) =>
    forEachName(context, args, async (container) => {
      try {
        await context.client.delete(`/containers/${container}`, { query: { force: values.force, v: values.volumes } });
      } catch (error) {
        if (!values.force || !isCode(error, 'NotFound')) throw error;
      }
      return container;
    }),
});
