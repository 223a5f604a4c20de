import { spawnSync } from 'node:child_process';
import { containerPids } from '../../lifecycle/kill.ts';
import type { Command } from '../command.ts';
import { minArgs } from '../flags.ts';

export const ps: Command = {
  usage: 'ps [--format table|json] ID [PS-OPTION…]',
  flags: { format: { kind: 'string', alias: 'f' } },
  run({ store }, flags, print) {
    minArgs('ps', flags.args, 1);
    const [id = '', ...options] = flags.args;
    const pids = containerPids(store.load(id));
    if (flags.string('format') === 'json') {
      print(JSON.stringify(pids));
      return 0;
    }
    const result = spawnSync('ps', options.length > 0 ? options : ['-ef'], { encoding: 'utf8' });
    if (result.error) throw result.error;
    const [header = '', ...lines] = result.stdout.trimEnd().split('\n');
    const column = header.trim().split(/\s+/).indexOf('PID');
    print(header);
    for (const line of lines) if (pids.includes(Number(line.trim().split(/\s+/)[column]))) print(line);
    return 0;
  },
};
