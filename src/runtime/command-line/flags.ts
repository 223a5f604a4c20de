import { StrakeError } from '../../base/index.ts';

/** Name → what it takes. Names of one letter are short ones. */
export type FlagTable = Readonly<Record<string, { readonly kind: 'bool' | 'string' | 'list'; readonly alias?: string }>>;

export interface ParsedFlags {
  bool(name: string): boolean;
  string(name: string): string | undefined;
  list(name: string): readonly string[];
  readonly args: readonly string[];
}

/** Flags as Go's flag package takes them, which callers of OCI runtimes expect: `-name` like `--name`, `=value` or the next word, up to the first argument. */
export function parseFlags(table: FlagTable, argv: readonly string[]): ParsedFlags {
  const values = new Map<string, string[]>();
  const aliases = new Map(Object.entries(table).flatMap(([name, { alias }]) => (alias === undefined ? [] : [[alias, name] as const])));
  let index = 0;
  for (; index < argv.length; index += 1) {
    const word = argv[index] ?? '';
    if (word === '--') {
      index += 1;
      break;
    }
    if (!word.startsWith('-') || word === '-') break;
    const [, given = '', text] = /^--?([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
    const name = aliases.get(given) ?? given;
    const flag = Object.hasOwn(table, name) ? table[name] : undefined;
    if (flag === undefined) throw usage(`flag provided but not defined: -${given}`);
    let value = text;
    if (value === undefined && flag.kind === 'bool') value = 'true';
    if (value === undefined) {
      index += 1;
      value = argv[index];
    }
    if (value === undefined) throw usage(`flag needs an argument: -${given}`);
    if (flag.kind === 'bool' && !/^(true|false|1|0|t|f)$/i.test(value)) throw usage(`invalid boolean value "${value}" for -${given}`);
    values.set(name, flag.kind === 'list' ? [...(values.get(name) ?? []), value] : [value]);
  }
  return {
    bool: (name) => /^(true|1|t)$/i.test(values.get(name)?.[0] ?? 'false'),
    string: (name) => values.get(name)?.[0],
    list: (name) => values.get(name) ?? [],
    args: argv.slice(index),
  };
}

function usage(message: string): StrakeError {
  return new StrakeError('InvalidArgument', message, { fields: { layer: 'runtime' } });
}

/** runc's words when a verb gets too few or too many arguments. */
export function exactArgs(verb: string, args: readonly string[], count: number): void {
  if (args.length !== count) throw usage(`strake-runc: "${verb}" requires exactly ${count} argument(s)`);
}

export function minArgs(verb: string, args: readonly string[], count: number): void {
  if (args.length < count) throw usage(`strake-runc: "${verb}" requires a minimum of ${count} argument(s)`);
}
