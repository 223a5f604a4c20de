import { features as describe } from '../../features.ts';
import type { Command } from '../command.ts';
import { exactArgs } from '../flags.ts';

export const features: Command = {
  usage: 'features [options]',
  flags: {},
  run(_context, flags, print) {
    exactArgs('features', flags.args, 0);
    print(JSON.stringify(describe(), undefined, 4));
    return 0;
  },
};
