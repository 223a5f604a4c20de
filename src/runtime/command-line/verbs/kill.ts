import { killContainer } from '../../lifecycle/kill.ts';
import type { Command } from '../command.ts';
import { maxArgs, minArgs } from '../flags.ts';

export const kill: Command = {
  usage: 'kill [options] <container-id> [signal]',
  flags: { all: { kind: 'bool', alias: 'a' }, regex: { kind: 'bool', alias: 'r' } },
  flagsEndAfter: 1,
  async run(context, flags) {
    minArgs('kill', flags.args, 1);
    maxArgs('kill', flags.args, 2);
    const [id = '', signal] = flags.args;
    const send = (target: string) => killContainer(context, target, signal || 'SIGTERM', flags.bool('all'));
    if (flags.bool('regex')) return await (await import('./matching-containers.ts')).eachMatching(context, id, send);
    await send(id);
    return 0;
  },
};
