import type { Flag, FlagTable } from './flags.ts';

const valueNames = { bool: '', string: 'string', int: 'int', list: 'list' } as const;

/** The "Options:" block of a help text, one flag a line, sorted by name. */
export function formatFlags(table: FlagTable): string {
  const rows = Object.entries(table)
    .filter(([, flag]) => !flag.hidden)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, flag]) => [leftColumn(name, flag), flag.on ? `${flag.help} (default true)` : flag.help] as const);
  const width = Math.max(0, ...rows.map(([left]) => left.length)) + 3;
  return rows.map(([left, help]) => `${left.padEnd(width)}${help}\n`).join('');
}

function leftColumn(name: string, flag: Flag): string {
  const value = flag.value ?? valueNames[flag.kind];
  return `  ${flag.short ? `-${flag.short}, ` : '    '}--${name}${value ? ` ${value}` : ''}`;
}
