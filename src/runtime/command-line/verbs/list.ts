import { listStates } from '../../lifecycle/state.ts';
import type { Command } from '../command.ts';

const columns = ['id', 'pid', 'status', 'bundle', 'created', 'owner'] as const;

export const list: Command = {
  usage: 'list [--quiet] [--format table|json]',
  flags: { quiet: { kind: 'bool', alias: 'q' }, format: { kind: 'string', alias: 'f' } },
  run({ store }, flags, print) {
    const states = listStates(store);
    if (flags.bool('quiet')) for (const { id } of states) print(id);
    else if (flags.string('format') === 'json') print(JSON.stringify(states));
    else {
      const rows = [columns.map((name) => name.toUpperCase()), ...states.map((state) => columns.map((name) => String(state[name])))];
      const widths = columns.map((_name, index) => Math.max(...rows.map((row) => row[index]?.length ?? 0)));
      for (const row of rows)
        print(
          row
            .map((cell, index) => cell.padEnd(widths[index] ?? 0))
            .join('   ')
            .trimEnd(),
        );
    }
    return 0;
  },
};
