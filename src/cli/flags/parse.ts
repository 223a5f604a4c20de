import { UsageError } from '../usage-error.ts';
import type { Flag, FlagTable, FlagValues, ParsedFlags } from './flags.ts';

export interface ParseOptions {
  /** Flags end at the first argument (`run IMAGE CMD -x`: -x is the command's). */
  readonly stopAtArgument: boolean;
}

/** Parses as docker's flag library (pflag) does: `--name value`, `--name=value`, `-n value`, `-nvalue`, `-abc`, `--`. Throws UsageError. */
export function parseFlags<Table extends FlagTable>(table: Table, argv: readonly string[], options: ParseOptions): ParsedFlags<Table> {
  const values: Record<string, unknown> = {};
  for (const [name, flag] of Object.entries(table)) values[name] = initialValue(flag);
  const shorts = new Map(Object.entries(table).flatMap(([name, flag]) => (flag.short ? [[flag.short, name] as const] : [])));
  const args: string[] = [];
  const given = new Set<string>();
  let help = false;
  const queue = [...argv];

  const setValue = (name: string, flag: Flag, label: string, text: string) => {
    given.add(name);
    values[name] = flag.kind === 'list' ? [...(values[name] as string[]), text] : convert(flag, label, text);
  };
  const takeNext = (label: string): string => {
    const next = queue.shift();
    if (next === undefined) throw new UsageError(`flag needs an argument: ${label}`);
    return next;
  };
  const parseLong = (word: string) => {
    const equals = word.indexOf('=');
    const name = equals < 0 ? word.slice(2) : word.slice(2, equals);
    if (name === 'help' && !(name in table)) {
      help = true;
      return;
    }
    const flag = Object.hasOwn(table, name) ? table[name] : undefined;
    if (!flag) throw new UsageError(`unknown flag: --${name}`);
    if (equals >= 0) setValue(name, flag, `--${name}`, word.slice(equals + 1));
    else setValue(name, flag, `--${name}`, flag.kind === 'bool' ? 'true' : takeNext(`--${name}`));
  };
  const parseShorts = (word: string) => {
    for (let rest = word.slice(1); rest !== ''; ) {
      const letter = rest[0] ?? '';
      rest = rest.slice(1);
      const name = shorts.get(letter);
      const flag = name === undefined ? undefined : table[name];
      if (letter === 'h' && !flag) {
        help = true;
        continue;
      }
      if (name === undefined || !flag) throw new UsageError(`unknown shorthand flag: '${letter}' in ${word}`);
      const label = `'${letter}' in ${word}`;
      if (flag.kind === 'bool' && !rest.startsWith('=')) {
        setValue(name, flag, label, 'true');
        continue;
      }
      setValue(name, flag, `-${letter}, --${name}`, rest === '' ? takeNext(label) : rest.replace(/^=/, ''));
      rest = '';
    }
  };

  for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
    if (word === '--') {
      args.push(...queue);
      break;
    }
    if (word.startsWith('--')) parseLong(word);
    else if (word.startsWith('-') && word !== '-') parseShorts(word);
    else {
      args.push(word);
      if (!options.stopAtArgument) continue;
      args.push(...queue);
      break;
    }
  }
  return { values: values as FlagValues<Table>, args, given, help };
}

function initialValue(flag: Flag): unknown {
  if (flag.kind === 'bool') return flag.on ?? false;
  return flag.kind === 'list' ? [] : undefined;
}

function convert(flag: Flag, label: string, text: string): unknown {
  const invalid = (why: string) => new UsageError(`invalid argument "${text}" for "${label}" flag: ${why}`);
  switch (flag.kind) {
    case 'bool':
      if (/^(1|t|T|true|TRUE|True)$/.test(text)) return true;
      if (/^(0|f|F|false|FALSE|False)$/.test(text)) return false;
      throw invalid(`strconv.ParseBool: parsing "${text}": invalid syntax`);
    case 'int':
      if (!/^[+-]?\d{1,15}$/.test(text)) throw invalid(`strconv.ParseInt: parsing "${text}": invalid syntax`);
      return Number(text);
    default:
      return text;
  }
}
