import type { StrakeError } from '../../base/index.ts';

/** Go's one-letter escapes (Go spec, "Rune literals"). */
const escapes: Readonly<Record<string, string>> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', '\\': '\\' };

/** Where the quoted text that begins at `start` ends, after its closing quote; undefined when it does not. */
export function quoteEnd(text: string, start: number): number | undefined {
  const quote = text[start];
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === quote) return at + 1;
    if (text[at] === '\n') return undefined;
    if (text[at] === '\\') at++;
  }
  return undefined;
}

/** The text of a Go string literal. Between slashes or bars only the quote itself is escaped: the rest belongs to the regular expression. */
export function unquote(literal: string, mistake: (problem: string) => StrakeError): string {
  const quote = literal[0] as string;
  const body = literal.slice(1, -1);
  if (quote === '/' || quote === '|') return body.replaceAll(`\\${quote}`, quote);
  const bytes: Buffer[] = [];
  for (let at = 0; at < body.length; ) {
    const backslash = body.indexOf('\\', at);
    const plainEnd = backslash === -1 ? body.length : backslash;
    bytes.push(Buffer.from(body.slice(at, plainEnd)));
    at = plainEnd;
    if (backslash === -1) break;
    const { value, length } = readEscape(body.slice(backslash, backslash + 10), quote, mistake);
    bytes.push(value);
    at += length;
  }
  return Buffer.concat(bytes).toString();
}

/** One escape at the beginning of the text: `\x` and octal ones stand for bytes, `\u` and `\U` for characters. */
function readEscape(text: string, quote: string, mistake: (problem: string) => StrakeError): { readonly value: Buffer; readonly length: number } {
  const letter = text[1] ?? '';
  const simple = letter === quote ? quote : Object.hasOwn(escapes, letter) ? escapes[letter] : undefined;
  if (simple !== undefined) return { value: Buffer.from(simple), length: 2 };
  const byte = /^\\(?:x([0-9a-fA-F]{2})|([0-3][0-7]{2}))/.exec(text);
  if (byte) return { value: Buffer.from([Number.parseInt(byte[1] ?? byte[2] ?? '', byte[1] === undefined ? 8 : 16)]), length: byte[0].length };
  const character = /^\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/.exec(text);
  const code = Number.parseInt(character?.[1] ?? character?.[2] ?? '', 16);
  if (!character || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) throw mistake(`invalid escape ${JSON.stringify(text.slice(0, 2))}`);
  return { value: Buffer.from(String.fromCodePoint(code)), length: character[0].length };
}
