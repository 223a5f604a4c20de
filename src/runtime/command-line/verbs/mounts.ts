import { readFileSync } from 'node:fs';
import { StrakeError } from '../../../base/index.ts';
import { parseMounts } from '../../../oci/index.ts';
import { changeMounts } from '../../lifecycle/mounts.ts';
import type { Command } from '../command.ts';
import { exactArgs } from '../flags.ts';

export const mounts: Command = {
  usage: 'mounts add|remove <container-id> <file>',
  flags: {},
  async run(context, { args }) {
    exactArgs('mounts', args, 3);
    const [change = '', id = '', file = ''] = args;
    if (change !== 'add' && change !== 'remove')
      throw new StrakeError('InvalidArgument', `unknown command ${JSON.stringify(change)}: mounts are added or removed`, { fields: { layer: 'runtime' } });
    await changeMounts(context, id, change, parseMounts(readFileSync(file === '-' ? 0 : file, 'utf8')));
    return 0;
  },
};
