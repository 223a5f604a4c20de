import { deleteContainer } from '../../lifecycle/delete.ts';
import type { Command } from '../command.ts';
import { exactArgs } from '../flags.ts';

export const remove: Command = {
  usage: 'delete [options] <container-id>',
  flags: { force: { kind: 'bool', alias: 'f' }, regex: { kind: 'bool', alias: 'r' }, trace: { kind: 'string' } },
  async run(context, flags) {
    exactArgs('delete', flags.args, 1);
    const [id = ''] = flags.args;
    const force = flags.bool('force');
    if (flags.bool('regex')) {
      const { eachMatching } = await import('./matching-containers.ts');
      return await eachMatching(context, id, (match) => deleteContainer(context, match, force));
    }
    deleteContainer(context, id, force);
    return 0;
  },
};
