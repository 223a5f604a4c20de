import { type ErrorFields, StrakeError } from '../../base/index.ts';

/** Name → what it takes. Names of one letter are short ones. */
export type FlagTable = Readonly<Record<string, { readonly kind: 'bool' | 'string' | 'list'; readonly alias?: string }>>;

export interface ParsedFlags {
  bool(name: string): boolean;
  string(name: string): string | undefined;
  list(name: string): readonly string[];
  readonly args: readonly string[];
}

/**
 * Flags as runc and crun both take them: `-name` like `--name`, `=value` or the next word, the last one wins. They may stand behind arguments, up to `--` or to
 * the `endAfter`th argument. A flag of `table` without a value where one is needed, and one that is not in it, are usage errors.
 */
export function parseFlags(table: FlagTable, argv: readonly string[], endAfter = Number.POSITIVE_INFINITY): ParsedFlags {
  const values = new Map<string, string[]>();
  const aliases = new Map(Object.entries(table).flatMap(([name, { alias }]) => (alias === undefined ? [] : [[alias, name] as const])));
  const args: string[] = [];
  let index = 0;
  for (; index < argv.length && args.length < endAfter; index += 1) {
    const word = argv[index] ?? '';
    if (word === '--') {
      index += 1;
      break;
    }
    if (!word.startsWith('-') || word === '-') {
      args.push(word);
      continue;
    }
    const [, given = '', text] = /^--?([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
    const name = aliases.get(given) ?? given;
    const flag = Object.hasOwn(table, name) ? table[name] : undefined;
    if (flag === undefined) throw flagError(`flag provided but not defined: -${given}`);
    let value = text;
    if (value === undefined && flag.kind === 'bool') value = 'true';
    if (value === undefined) {
      index += 1;
      value = argv[index];
    }
    if (value === undefined) throw flagError(`flag needs an argument: ${word}`);
    if (flag.kind === 'bool' && !/^(true|false|1|0|t|f)$/i.test(value)) throw flagError(`invalid boolean value "${value}" for -${given}`);
    values.set(name, flag.kind === 'list' ? [...(values.get(name) ?? []), value] : [value]);
  }
  return {
    bool: (name) => /^(true|1|t)$/i.test(values.get(name)?.[0] ?? 'false'),
    string: (name) => values.get(name)?.[0],
    list: (name) => values.get(name) ?? [],
    args: [...args, ...argv.slice(index)],
  };
}

/** How the command line was misused: main prints the help with it. */
export type Misuse = 'flag' | 'arguments';

/** The misuse that an error is about. */
export function misuseOf(error: unknown): Misuse | undefined {
  return error instanceof StrakeError ? (error.fields['misuse'] as Misuse | undefined) : undefined;
}

function flagError(message: string): StrakeError {
  return usageError(message, 'flag');
}

function usageError(message: string, misuse: Misuse): StrakeError {
  const fields: ErrorFields = { layer: 'runtime', misuse };
  return new StrakeError('InvalidArgument', message, { fields });
}

/** runc's words when a verb gets too few or too many arguments. */
export function exactArgs(verb: string, args: readonly string[], count: number): void {
  if (args.length !== count) throw usageError(`strake-runc: "${verb}" requires exactly ${count} argument(s)`, 'arguments');
}

export function minArgs(verb: string, args: readonly string[], count: number): void {
  if (args.length < count) throw usageError(`strake-runc: "${verb}" requires a minimum of ${count} argument(s)`, 'arguments');
}

export function maxArgs(verb: string, args: readonly string[], count: number): void {
  if (args.length > count) throw usageError(`strake-runc: "${verb}" requires a maximum of ${count} argument(s)`, 'arguments');
}
