import type { Header } from '../headers.ts';
import { staticTable } from './static-table.ts';

const wholes = new Map<string, number>();
const names = new Map<string, number>();
for (const [index, [name, value]] of staticTable.entries()) {
  if (!names.has(name)) names.set(name, index + 1);
  if (value !== '') wholes.set(`${name} ${value}`, index + 1);
}

/** A block that every decoder reads, whatever came before: nothing is put into its table, and strings are sent as they are. */
export function encodeHeaders(headers: readonly Header[]): Buffer {
  return Buffer.concat(headers.map(encodeHeader));
}

function encodeHeader([name, value]: Header): Buffer {
  const whole = wholes.get(`${name} ${value}`);
  if (whole !== undefined) return encodeInteger(0x80, 7, whole);
  const index = names.get(name);
  const head = index === undefined ? [Buffer.from([0]), encodeString(name)] : [encodeInteger(0, 4, index)];
  return Buffer.concat([...head, encodeString(value)]);
}

function encodeString(text: string): Buffer {
  return Buffer.concat([encodeInteger(0, 7, text.length), Buffer.from(text, 'latin1')]);
}

function encodeInteger(flags: number, prefixBits: number, value: number): Buffer {
  const mask = (1 << prefixBits) - 1;
  if (value < mask) return Buffer.from([flags | value]);
  const bytes = [flags | mask];
  let rest = value - mask;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}
