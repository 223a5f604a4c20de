import { isCode } from '../../base/index.ts';
import { defineCommand } from '../command.ts';
import { describeError } from '../describe-error.ts';
import { forEachName } from '../for-each.ts';

export const rmi = defineCommand({
  name: 'rmi',
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  summary: 'Remove one or more images',
  flags: {
    force: { kind: 'bool', short: 'f', help: 'Remove it although stopped containers use it; a missing one is no error' },
    'no-prune': { kind: 'bool', help: 'Keep untagged parents' },
  },
  minArgs: 1,
  maxArgs: Number.POSITIVE_INFINITY,
  run: (context, { values, args }) =>
    forEachName(context, args, async (image) => {
      try {
        const removed = await context.client.delete<readonly { readonly Untagged?: string; readonly Deleted?: string }[]>(
          `/images/${encodeURIComponent(image)}`,
          { query: { force: values.force, noprune: values['no-prune'] } },
        );
        return removed.map((item) => (item.Deleted ? `Deleted: ${item.Deleted}` : `Untagged: ${item.Untagged}`)).join('\n');
      } catch (error) {
        if (!values.force || !isCode(error, 'NotFound')) throw error;
        context.err(`${describeError(error)}\n`);
        return undefined;
      }
    }),
});
