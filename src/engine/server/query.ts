import { StrakeError } from '../../base/index.ts';

/** Query parameters with Docker's reading of them (moby daemon/server/httputils/form.go). */
export class Query {
  private readonly parameters: URLSearchParams;

  constructor(text: string) {
    this.parameters = new URLSearchParams(text);
  }

  has(name: string): boolean {
    return this.parameters.has(name);
  }

  /** The first value; empty when absent. */
  text(name: string): string {
    return this.parameters.get(name) ?? '';
  }

  all(name: string): readonly string[] {
    return this.parameters.getAll(name);
  }

  /** Everything but absence, the empty string, 0, no, false and none is true. */
  bool(name: string, whenAbsent = false): boolean {
    if (!this.has(name)) return whenAbsent;
    return !['', '0', 'no', 'false', 'none'].includes(this.text(name).toLowerCase().trim());
  }

  /** A decimal integer; undefined when absent or empty; InvalidArgument otherwise. */
  integer(name: string): number | undefined {
    const text = this.text(name);
    if (text === '') return undefined;
    if (!/^-?\d+$/.test(text)) throw new StrakeError('InvalidArgument', `invalid ${name} ${JSON.stringify(text)}: must be an integer`);
    return Number(text);
  }

  /** The `filters` parameter. */
  filters(name = 'filters'): Filters {
    return parseFilters(this.text(name));
  }
}

/** Docker's filters: a set of values for each key. Values of one key are alternatives, keys must all hold. */
export class Filters {
  private readonly values: ReadonlyMap<string, readonly string[]>;

  constructor(values: ReadonlyMap<string, readonly string[]>) {
    this.values = values;
  }

  get(name: string): readonly string[] {
    return this.values.get(name) ?? [];
  }

  has(name: string): boolean {
    return this.get(name).length > 0;
  }

  get isEmpty(): boolean {
    return this.values.size === 0;
  }

  /** True without values for `name`, or when one of them satisfies `test`. */
  any(name: string, test: (value: string) => boolean): boolean {
    return !this.has(name) || this.get(name).some(test);
  }

  /** Labels: every `key` or `key=value` given must be there. */
  labels(labels: Readonly<Record<string, string>>, name = 'label'): boolean {
    return this.get(name).every((wanted) => hasLabel(labels, wanted));
  }

  /** For keys that take one boolean (`dangling`): undefined when absent. */
  flag(name: string): boolean | undefined {
    const values = this.get(name);
    if (values.length === 0) return undefined;
    const truths = values.map((value) => truth(name, value));
    if (new Set(truths).size > 1) throw invalidFilter(name, values);
    return truths[0];
  }

  /** InvalidArgument for a key that is not in `names`. */
  accept(...names: readonly string[]): this {
    for (const name of this.values.keys()) if (!names.includes(name)) throw new StrakeError('InvalidArgument', `invalid filter '${name}'`);
    return this;
  }
}

export function hasLabel(labels: Readonly<Record<string, string>>, wanted: string): boolean {
  const at = wanted.indexOf('=');
  const key = at < 0 ? wanted : wanted.slice(0, at);
  return Object.hasOwn(labels, key) && (at < 0 || labels[key] === wanted.slice(at + 1));
}

/** Reads both forms on the wire: `{"key":{"value":true}}` and the older `{"key":["value"]}`. */
export function parseFilters(text: string): Filters {
  const values = new Map<string, readonly string[]>();
  if (text === '') return new Filters(values);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new StrakeError('InvalidArgument', `invalid filter: ${(cause as Error).message}`, { cause });
  }
  if (parsed === null || typeof parsed !== 'object' || Array.isArray(parsed)) throw new StrakeError('InvalidArgument', 'invalid filter: not an object');
  for (const [key, value] of Object.entries(parsed)) values.set(key, filterValues(key, value));
  return new Filters(values);
}

function filterValues(key: string, value: unknown): readonly string[] {
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
  if (value !== null && typeof value === 'object' && !Array.isArray(value))
    return Object.keys(value).filter((name) => (value as Record<string, unknown>)[name] === true);
  throw new StrakeError('InvalidArgument', `invalid filter '${key}': not a list or map of values`);
}

function truth(name: string, value: string): boolean {
  if (value === '1' || value === 'true') return true;
  if (value === '0' || value === 'false') return false;
  throw invalidFilter(name, [value]);
}

function invalidFilter(name: string, values: readonly string[]): StrakeError {
  return new StrakeError('InvalidArgument', `invalid filter '${name}=[${values.join(' ')}]'`);
}
