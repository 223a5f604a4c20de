import { defineCommand } from '../command.ts';
import { forEachName } from '../for-each.ts';

function verb(name: 'pause' | 'unpause', summary: string) {
  return defineCommand({
    name,
    usage: 'CONTAINER [CONTAINER...]',
    summary,
    flags: {},
    minArgs: 1,
    maxArgs: Number.POSITIVE_INFINITY,
    run: (context, { args }) =>
      forEachName(context, args, async (container) => {
        await context.client.post(`/containers/${container}/${name}`);
        return container;
      }),
  });
}

export const pause = verb('pause', 'Pause all processes of one or more containers');
export const unpause = verb('unpause', 'Unpause all processes of one or more containers');
