// Paths are bytes; most are UTF-8. A byte that is not stands in a string as one lone surrogate, U+DC80 to U+DCFF (Python's PEP 383), and so comes back.

const escapeBase = 0xdc00;
const loneSurrogate = /[\u{dc80}-\u{dcff}]/gu;
const replacement = '\ufffd';

/** The text of a path, from which `pathBytes` makes the very same bytes again. */
export function pathText(bytes: Buffer, start = 0, end = bytes.length): string {
  const text = bytes.toString('utf8', start, end);
  return text.includes(replacement) ? escaped(bytes, start, end) : text;
}

export function pathBytes(text: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text);
  const parts: Buffer[] = [];
  let from = 0;
  for (const { index } of text.matchAll(loneSurrogate)) {
    parts.push(Buffer.from(text.slice(from, index)), Buffer.from([text.charCodeAt(index) - escapeBase]));
    from = index + 1;
  }
  return Buffer.concat([...parts, Buffer.from(text.slice(from))]);
}

/** As many as `pathBytes` gives: every lone surrogate is one byte, not three. */
export function pathByteLength(text: string): number {
  return text.isWellFormed() ? Buffer.byteLength(text) : pathBytes(text).length;
}

/** The order of the bytes: that of UTF-16 differs beyond U+D7FF. */
export function comparePaths(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length);
  for (let index = 0; index < shorter; index++) {
    const [unitA, unitB] = [a.charCodeAt(index), b.charCodeAt(index)];
    if (unitA === unitB) continue;
    return unitA < 0xd800 && unitB < 0xd800 ? unitA - unitB : Buffer.compare(pathBytes(a), pathBytes(b));
  }
  return a.length - b.length;
}

function escaped(bytes: Buffer, start: number, end: number): string {
  let text = '';
  for (let at = start; at < end; ) {
    const length = sequenceLength(bytes[at] ?? 0);
    const character = bytes.toString('utf8', at, Math.min(at + length, end));
    const isValid = !character.includes(replacement) || bytes.subarray(at, at + length).equals(Buffer.from(replacement));
    text += isValid ? character : String.fromCharCode(escapeBase + (bytes[at] ?? 0));
    at += isValid ? length : 1;
  }
  return text;
}

/** By the first byte (RFC 3629). */
function sequenceLength(first: number): number {
  if (first < 0x80) return 1;
  if (first < 0xe0) return 2;
  return first < 0xf0 ? 3 : 4;
}
