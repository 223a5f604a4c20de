import { setTimeout as delay } from 'node:timers/promises';
import { StrakeError } from '../../../base/index.ts';
import { formatJson } from '../../../oci/index.ts';
import { containerStats } from '../../lifecycle/stats.ts';
import type { Command } from '../command.ts';
import { exactArgs } from '../flags.ts';

export const events: Command = {
  usage: 'events [options] <container-id>',
  flags: { stats: { kind: 'bool' }, interval: { kind: 'string' } },
  async run(context, flags, print) {
    exactArgs('events', flags.args, 1);
    const id = flags.args[0] ?? '';
    const [, number = '', unit = 's'] = /^(\d+)(ms|s|m)?$/.exec(flags.string('interval') ?? '5s') ?? [];
    const intervalMs = Number(number) * { ms: 1, s: 1000, m: 60_000 }[unit as 'ms' | 's' | 'm'];
    if (!(intervalMs > 0)) throw new StrakeError('InvalidArgument', 'duration interval must be greater than 0', { fields: { layer: 'runtime' } });
    for (;;) {
      print(formatJson(await containerStats(context, id)));
      if (flags.bool('stats')) return 0;
      await delay(intervalMs);
    }
  },
};
