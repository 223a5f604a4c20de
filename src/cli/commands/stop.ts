import { defineCommand } from '../command.ts';
import { forEachName } from '../for-each.ts';

function verb(name: 'stop' | 'restart', summary: string) {
  return defineCommand({
    name,
    usage: '[OPTIONS] CONTAINER [CONTAINER...]',
    summary,
    flags: {
      signal: { kind: 'string', short: 's', help: 'Signal to send first' },
      timeout: { kind: 'int', short: 't', help: 'Seconds to wait before the container is killed' },
      time: { kind: 'int', help: 'As --timeout', hidden: true },
    },
    minArgs: 1,
    maxArgs: Number.POSITIVE_INFINITY,
    run: (context, { values, args }) =>
      forEachName(context, args, async (container) => {
        await context.client.post(`/containers/${container}/${name}`, { query: { t: values.timeout ?? values.time, signal: values.signal } });
        return container;
      }),
  });
}

export const stop = verb('stop', 'Stop one or more running containers');
export const restart = verb('restart', 'Restart one or more containers');
