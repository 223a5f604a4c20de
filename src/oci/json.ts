import { StrakeError } from '../base/index.ts';
import { invalidJsonPosition } from './json-position.ts';

/** Integers of more digits than this may lose some as a double. */
const longInteger = /[0-9]{16}/;

/** JSON with int64 numbers: an integer outside of ±2^53 comes back as a bigint, exact. Throws InvalidArgument that names `what`. */
export function parseJson(text: string, what: string): unknown {
  try {
    return longInteger.test(text) ? JSON.parse(text, exactInteger) : JSON.parse(text);
  } catch (cause) {
    const position = invalidJsonPosition(text);
    const where = position === undefined ? '' : `line ${position.line}, column ${position.column}: `;
    throw new StrakeError('InvalidArgument', `${what} is not valid JSON: ${where}${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
      fields: { layer: 'oci', ...position },
    });
  }
}

function exactInteger(this: unknown, _key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const source = context?.source ?? '';
  return /^-?\d+$/.test(source) ? BigInt(source) : value;
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
