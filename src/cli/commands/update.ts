import { defineCommand } from '../command.ts';
import { resourceLimits, restartPolicy } from '../container-options/body.ts';
import { containerFlags } from '../container-options/flags.ts';
import { forEachName } from '../for-each.ts';

export const update = defineCommand({
  name: 'update',
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  summary: 'Change limits and restart policy of one or more containers',
  flags: {
    memory: containerFlags.memory,
    'memory-reservation': containerFlags['memory-reservation'],
    'memory-swap': containerFlags['memory-swap'],
    cpus: containerFlags.cpus,
    'cpu-shares': containerFlags['cpu-shares'],
    'cpu-period': containerFlags['cpu-period'],
    'cpu-quota': containerFlags['cpu-quota'],
    'cpuset-cpus': containerFlags['cpuset-cpus'],
    'cpuset-mems': containerFlags['cpuset-mems'],
    'pids-limit': containerFlags['pids-limit'],
    'blkio-weight': containerFlags['blkio-weight'],
    restart: containerFlags.restart,
  },
  minArgs: 1,
  maxArgs: Number.POSITIVE_INFINITY,
  run: (context, { values, args }) =>
    forEachName(context, args, async (container) => {
      const body = { ...resourceLimits(values), ...(values.restart === undefined ? {} : { RestartPolicy: restartPolicy(values.restart) }) };
      const answer = await context.client.post<{ readonly Warnings?: readonly string[] | null }>(`/containers/${container}/update`, { body });
      for (const warning of answer?.Warnings ?? []) context.err(`WARNING: ${warning}\n`);
      return container;
    }),
});
