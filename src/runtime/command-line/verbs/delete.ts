import { deleteContainer } from '../../lifecycle/delete.ts';
import type { Command } from '../command.ts';
import { exactArgs } from '../flags.ts';

export const remove: Command = {
  usage: 'delete [--force] ID',
  flags: { force: { kind: 'bool', alias: 'f' } },
  run(context, flags) {
    exactArgs('delete', flags.args, 1);
    deleteContainer(context, flags.args[0] ?? '', flags.bool('force'));
    return 0;
  },
};
