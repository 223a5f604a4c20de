import { features as describe } from '../../features.ts';
import type { Command } from '../command.ts';

export const features: Command = {
  usage: 'features',
  flags: {},
  run(_context, _flags, print) {
    print(JSON.stringify(describe(), undefined, 2));
    return 0;
  },
};
