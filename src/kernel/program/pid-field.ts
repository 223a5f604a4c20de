/** As many as the digits of the largest pid; strake-init replaces them (native/pid_field.c). */
const blank = ' '.repeat(10);

/** A JSON object whose `pid` is written by strake-init, once the process is there. */
export interface PidText {
  readonly text: string;
  /** byte offsets of the fields in the text as UTF-8 */
  readonly offsets: readonly number[];
}

/** `value` as JSON with one more field, `pid`, which comes first: a JSON number may have spaces before it. */
export function jsonWithPid(value: object): PidText {
  const rest = JSON.stringify(value).slice(1);
  const head = '{"pid":';
  return { text: `${head}${blank}${rest === '}' ? '' : ','}${rest}`, offsets: [head.length] };
}

/** The same inside another object: `{…, NAME: inner}`, with a `pid` of its own. */
export function nestPidText(value: object, name: string, inner: PidText): PidText {
  const outer = jsonWithPid(value);
  const before = `${outer.text.slice(0, -1)},${JSON.stringify(name)}:`;
  const start = Buffer.byteLength(before);
  return { text: `${before}${inner.text}}`, offsets: [...outer.offsets, ...inner.offsets.map((offset) => start + offset)] };
}

/** Offsets as operations carry them: u32 little endian each. */
export function pidOffsetBytes({ offsets }: PidText): Uint8Array {
  const bytes = Buffer.alloc(offsets.length * 4);
  for (const [index, offset] of offsets.entries()) bytes.writeUInt32LE(offset, index * 4);
  return bytes;
}
