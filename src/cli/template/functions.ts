import { TemplateError } from './template-error.ts';

export type TemplateFunction = (...args: unknown[]) => unknown;

/** What Go prints for a value with `%v`. */
export function printValue(value: unknown): string {
  if (value === undefined) return '<no value>';
  if (value === null) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(printValue).join(' ')}]`;
  if (typeof value === 'object') {
    const pairs = Object.entries(value).filter(([, item]) => typeof item !== 'function');
    return `map[${pairs.map(([key, item]) => `${key}:${printValue(item)}`).join(' ')}]`;
  }
  return String(value);
}

/** Go's truth: false, 0, "", nil and empty collections are false. */
export function isTrue(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : printValue(value);
}

function index(container: unknown, ...keys: unknown[]): unknown {
  return keys.reduce((value, key) => {
    if (Array.isArray(value)) {
      if (typeof key !== 'number' || key < 0 || key >= value.length) throw new TemplateError(`error calling index: index out of range: ${printValue(key)}`);
      return value[key] as unknown;
    }
    if (typeof value === 'object' && value !== null) return Object.hasOwn(value, text(key)) ? (value as Record<string, unknown>)[text(key)] : '';
    throw new TemplateError('error calling index: index of untyped nil');
  }, container);
}

function compare(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  const [left, right] = [text(a), text(b)];
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

function sprintf(format: unknown, ...args: unknown[]): string {
  let next = 0;
  return text(format).replace(/%(-?)(\d*)(?:\.(\d+))?([vsdqftx%])/g, (_, minus: string, width: string, precision: string | undefined, verb: string) => {
    if (verb === '%') return '%';
    const value = args[next];
    next += 1;
    const shown = formatVerb(verb, value, precision);
    return minus ? shown.padEnd(Number(width)) : shown.padStart(Number(width));
  });
}

function formatVerb(verb: string, value: unknown, precision: string | undefined): string {
  if (verb === 'q') return JSON.stringify(text(value));
  if (verb === 'f') return Number(value).toFixed(Number(precision ?? 6));
  if (verb === 'x') return typeof value === 'number' ? value.toString(16) : Buffer.from(text(value)).toString('hex');
  return precision === undefined ? text(value) : text(value).slice(0, Number(precision));
}

/** The functions of docker's formats (docs.docker.com, "Format command and log output") and Go's built-in ones. */
export const templateFunctions: Readonly<Record<string, TemplateFunction>> = {
  json: (value) => JSON.stringify(value ?? null),
  split: (value, separator) => text(value).split(text(separator)),
  join: (list, separator) => (Array.isArray(list) ? list.map(text).join(text(separator)) : text(list)),
  title: (value) => text(value).replace(/\b\p{Ll}/gu, (letter) => letter.toUpperCase()),
  lower: (value) => text(value).toLowerCase(),
  upper: (value) => text(value).toUpperCase(),
  pad: (value, before, after) => (text(value) === '' ? '' : `${' '.repeat(Number(before))}${text(value)}${' '.repeat(Number(after))}`),
  truncate: (value, length) => text(value).slice(0, Number(length)),
  print: (...args) => args.map(text).join(' '),
  println: (...args) => `${args.map(text).join(' ')}\n`,
  printf: (format, ...args) => sprintf(format, ...args),
  len: (value) => (typeof value === 'string' ? Buffer.byteLength(value) : Array.isArray(value) ? value.length : Object.keys(value ?? {}).length),
  index,
  eq: (first, ...others) => others.some((other) => compare(first, other) === 0),
  ne: (a, b) => compare(a, b) !== 0,
  lt: (a, b) => compare(a, b) < 0,
  le: (a, b) => compare(a, b) <= 0,
  gt: (a, b) => compare(a, b) > 0,
  ge: (a, b) => compare(a, b) >= 0,
  not: (value) => !isTrue(value),
  and: (...args) => args.find((value) => !isTrue(value)) ?? args.at(-1),
  or: (...args) => args.find(isTrue) ?? args.at(-1),
};
