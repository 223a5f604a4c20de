import { StrakeError } from '../../../base/index.ts';
import { listStates, type PrintedState } from '../../lifecycle/state.ts';
import type { Command } from '../command.ts';
import { exactArgs } from '../flags.ts';

const columns = ['id', 'pid', 'status', 'bundle', 'created', 'owner'] as const;
/** runc's columns: at least so wide, with so much between them */
const columnWidth = 12;
const columnGap = 3;

export const list: Command = {
  usage: 'list [options]',
  flags: { format: { kind: 'string', alias: 'f' }, quiet: { kind: 'bool', alias: 'q' } },
  run({ store, rootIsGiven, warn }, flags, print) {
    exactArgs('list', flags.args, 0);
    const format = flags.string('format') ?? 'table';
    const states = listStates(store, rootIsGiven, (id, error) => warn(`load container ${id}: ${error}`));
    if (flags.bool('quiet')) for (const { id } of states) print(id);
    else if (format === 'json') print(JSON.stringify(states));
    else if (format === 'table') for (const line of table(states)) print(line);
    else throw new StrakeError('InvalidArgument', 'invalid format option', { fields: { layer: 'runtime' } });
    return 0;
  },
};

export function table(states: readonly PrintedState[]): string[] {
  const rows = [columns.map((name) => name.toUpperCase()), ...states.map((state) => columns.map((name) => String(state[name])))];
  const widths = columns.map((_name, index) => Math.max(columnWidth, ...rows.map((row) => (row[index]?.length ?? 0) + columnGap)));
  return rows.map((row) => row.map((cell, index) => (index === columns.length - 1 ? cell : cell.padEnd(widths[index] ?? 0))).join(''));
}
