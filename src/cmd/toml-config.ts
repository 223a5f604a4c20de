/** Configurations in TOML that other projects' users have: read with a limit, merged, and taken apart key by key, so that what is left over can be named. */
import { readFileSync } from 'node:fs';
import { parse, type TomlTable, type TomlValue } from 'smol-toml';
import { errorMessage, StrakeError } from '../base/index.ts';

const maxConfigBytes = 1024 * 1024;

/** `required`: a file that is not there is an error, else it is empty. */
export function readTomlFile(file: string, required: boolean): TomlTable {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    if (!required && (cause as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw invalidConfig(file, errorMessage(cause), cause);
  }
  if (text.length > maxConfigBytes) throw invalidConfig(file, `longer than ${maxConfigBytes} bytes`);
  try {
    return parse(text);
  } catch (cause) {
    throw invalidConfig(file, errorMessage(cause).split('\n', 1)[0] ?? '', cause);
  }
}

/** Tables are merged, everything else is replaced. */
export function mergeTables(base: TomlTable, over: TomlTable): TomlTable {
  const merged: TomlTable = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const before = merged[key];
    merged[key] = isTable(before) && isTable(value) ? mergeTables(before, value) : value;
  }
  return merged;
}

type Keys = readonly string[];

/** Takes values out of a table by their keys; undefined for what it does not say, which an empty text is too. Its errors name the file and the key. */
export class ConfigTable {
  /** What nobody has taken. */
  readonly left: TomlTable;
  private readonly file: string;

  constructor(table: TomlTable, file: string) {
    this.left = structuredClone(table);
    this.file = file;
  }

  take(...keys: Keys): TomlValue | undefined {
    const at = keys.slice(0, -1).reduce<TomlValue | undefined>((inner, key) => (isTable(inner) ? inner[key] : undefined), this.left);
    const key = keys.at(-1) ?? '';
    if (!isTable(at) || !Object.hasOwn(at, key)) return undefined;
    const value = at[key];
    delete at[key];
    return value;
  }

  text(...keys: Keys): string | undefined {
    const value = this.take(...keys);
    if (value !== undefined && typeof value !== 'string') throw this.wrong(keys, 'a text');
    return value === '' ? undefined : value;
  }

  texts(...keys: Keys): readonly string[] | undefined {
    const value = this.take(...keys);
    if (value !== undefined && !isStrings(value)) throw this.wrong(keys, 'a list of texts');
    return value;
  }

  flag(...keys: Keys): boolean | undefined {
    const value = this.take(...keys);
    if (value !== undefined && typeof value !== 'boolean') throw this.wrong(keys, 'true or false');
    return value;
  }

  natural(...keys: Keys): number | undefined {
    const value = this.take(...keys);
    if (value !== undefined && (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)) throw this.wrong(keys, 'a number from 0');
    return value;
  }

  oneOf<T extends string>(allowed: readonly T[], ...keys: Keys): T | undefined {
    const value = this.text(...keys);
    const found = allowed.find((item) => item === value);
    if (value !== undefined && found === undefined) throw this.wrong(keys, `one of ${allowed.join(', ')}`);
    return found;
  }

  table(...keys: Keys): TomlTable | undefined {
    const value = this.take(...keys);
    if (value !== undefined && !isTable(value)) throw this.wrong(keys, 'a table');
    return value;
  }

  private wrong(keys: Keys, what: string): StrakeError {
    return invalidConfig(this.file, `${keys.join('.')} is not ${what}`);
  }
}

export function isTable(value: TomlValue | undefined): value is TomlTable {
  return typeof value === 'object' && !Array.isArray(value) && !(value instanceof Date);
}

export function isStrings(value: TomlValue): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

/**
 * The keys with a value that is not empty, zero or false: those that somebody may count on, `crio.runtime.pids_limit`. Tables right below `whole` are named as one.
 */
export function saying(table: TomlTable, whole?: string, prefix = ''): string[] {
  return Object.entries(table).flatMap(([key, value]) => {
    const name = `${prefix}${key}`;
    if (!isTable(value)) return isNothing(value) ? [] : [name];
    const inner = saying(value, whole, `${name}.`);
    return prefix === whole && inner.length > 0 ? [name] : inner;
  });
}

function isNothing(value: TomlValue): boolean {
  return value === '' || value === 0 || value === false || (Array.isArray(value) && value.length === 0);
}

export function invalidConfig(file: string, why: string, cause?: unknown): StrakeError {
  return new StrakeError('InvalidArgument', `${file}: ${why}`, { cause, fields: { layer: 'cmd' } });
}
