import { formatJson } from '../../../oci/index.ts';
import { statsEvent, watchEvents } from '../../lifecycle/events.ts';
import type { Command } from '../command.ts';
import { parseDuration } from '../duration.ts';
import { exactArgs } from '../flags.ts';

export const events: Command = {
  usage: 'events [options] <container-id>',
  flags: { stats: { kind: 'bool' }, interval: { kind: 'string' } },
  run(context, flags, print) {
    exactArgs('events', flags.args, 1);
    const [id = ''] = flags.args;
    const intervalMs = parseDuration('interval', flags.string('interval') ?? '5s');
    if (flags.bool('stats')) print(formatJson(statsEvent(context, id)));
    else watchEvents(context, id, intervalMs, (event) => print(formatJson(event)));
    return 0;
  },
};
