/** A value of a field; several are a repeated one, `undefined` is a field that is left out. */
export type FieldValue = boolean | number | string | Uint8Array | undefined;
export type Field = readonly [number: number, value: FieldValue | readonly FieldValue[]];

/** A message of protocol buffers with the wire types 0 (varint, negative numbers as 64 bits) and 2 (text, bytes, messages). */
export function encodeMessage(fields: readonly Field[]): Uint8Array {
  return Buffer.concat(fields.flatMap(([number, value]) => (Array.isArray(value) ? value : [value]).map((one: FieldValue) => encodeField(number, one))));
}

function encodeField(number: number, value: FieldValue): Uint8Array {
  if (value === undefined) return new Uint8Array();
  if (typeof value === 'boolean') return encodeField(number, Number(value));
  if (typeof value === 'number') return Buffer.concat([varint(BigInt(number << 3)), varint(BigInt(value))]);
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  return Buffer.concat([varint(BigInt((number << 3) | 2)), varint(BigInt(bytes.length)), bytes]);
}

function varint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}
