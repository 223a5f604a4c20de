import { StrakeError } from '../base/index.ts';
import { invalidJsonPosition } from './json-position.ts';

/** Integers of more digits than this may lose some as a double. */
const longInteger = /[0-9]{16}/;
/** A string, or an integer that long: no part of a fraction or an exponent. */
const stringOrLongInteger = /"[^"\\]*(?:\\.[^"\\]*)*"|(?<![0-9.eE+-])-?[0-9]{16,}(?![0-9.eE])/gs;
/** Before the digits of such an integer on its way through JSON.parse. */
const mark = '\u{10FFFD}integer ';

/** JSON with int64 numbers: an integer outside of ±2^53 comes back as a bigint, exact. Throws InvalidArgument that names `what`. */
export function parseJson(text: string, what: string): unknown {
  try {
    // Not by the reviver's `source`, which not every engine has. The text itself is read first: what is wrong with it is told in its own places.
    const value: unknown = JSON.parse(text);
    return longInteger.test(text) ? JSON.parse(text.replace(stringOrLongInteger, markInteger), exactInteger) : value;
  } catch (cause) {
    const position = invalidJsonPosition(text);
    const where = position === undefined ? '' : `line ${position.line}, column ${position.column}: `;
    throw new StrakeError('InvalidArgument', `${what} is not valid JSON: ${where}${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
      fields: { layer: 'oci', ...position },
    });
  }
}

function markInteger(token: string): string {
  return token.startsWith('"') || Number.isSafeInteger(Number(token)) ? token : JSON.stringify(mark + token);
}

function exactInteger(_key: string, value: unknown): unknown {
  return typeof value === 'string' && value.startsWith(mark) ? BigInt(value.slice(mark.length)) : value;
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
