import { StrakeError } from '../base/index.ts';
import { invalidJsonPosition } from './json-position.ts';
import { isDoubtful } from './loose-json.ts';

/** Integers of more digits than this may lose some as a double. */
const longInteger = /[0-9]{16}/;
/** A string, or an integer that long: no part of a fraction or an exponent. */
const stringOrLongInteger = /"[^"\\]*(?:\\.[^"\\]*)*"|(?<![0-9.eE+-])-?[0-9]{16,}(?![0-9.eE])/gs;

/** JSON with int64 numbers: an integer outside of ±2^53 comes back as a bigint, exact. Throws InvalidArgument that names `what`. */
export function parseJson(text: string, what: string): unknown {
  try {
    // Not by the reviver's `source`, which not every engine has. The text itself is read first: what is wrong with it is told in its own places.
    const value: unknown = JSON.parse(text);
    if (isDoubtful(text) && invalidJsonPosition(text) !== undefined) throw new SyntaxError('an escape or a number that JSON does not have');
    return longInteger.test(text) ? withExactIntegers(text, value) : value;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const position = invalidJsonPosition(text);
    // Too deep, or too large for the memory.
    if (position === undefined) throw new StrakeError('InvalidArgument', `${what} cannot be read: ${reason}`, { cause, fields: { layer: 'oci' } });
    throw new StrakeError('InvalidArgument', `${what} is not valid JSON: line ${position.line}, column ${position.column}: ${reason}`, {
      cause,
      fields: { layer: 'oci', ...position },
    });
  }
}

/** `value` is what JSON.parse makes of it. */
function withExactIntegers(text: string, value: unknown): unknown {
  const written = JSON.stringify(value);
  // Stands before the digits on their way through JSON.parse, so it must be in no string of the document; there JSON.stringify escapes none of its letters.
  let mark = 'integer ';
  while (written.includes(mark)) mark += mark;
  const markInteger = (token: string) => (token.startsWith('"') || Number.isSafeInteger(Number(token)) ? token : `"${mark}${token}"`);
  return JSON.parse(text.replace(stringOrLongInteger, markInteger), (_key, entry: unknown) =>
    typeof entry === 'string' && entry.startsWith(mark) ? BigInt(entry.slice(mark.length)) : entry,
  );
}

/** JSON text in which bigints are plain numbers. */
export function formatJson(value: unknown, indent = ''): string {
  const longs: string[] = [];
  // A mark that cannot be in the text: JSON escapes control characters.
  const text = JSON.stringify(
    value,
    (_key, entry: unknown) => {
      if (typeof entry !== 'bigint') return entry;
      longs.push(String(entry));
      return `\u0001${longs.length - 1}\u0001`;
    },
    indent,
  );
  return longs.length === 0 ? text : text.replace(/"\\u0001(\d+)\\u0001"/g, (_all, index: string) => longs[Number(index)] ?? '');
}
