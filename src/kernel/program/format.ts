import { type Op, opTable } from './ops.gen.ts';

/** One line for people: `init mount_fs target=/proc fstype=proc …`; fields at their default are left out. */
export function formatOp(op: Op): string {
  const values = op as unknown as Readonly<Record<string, unknown>>;
  const fields = opTable[op.op].fields
    .map(([type, name]) => [name, formatValue(type, name, values[name])] as const)
    .filter(([, text]) => text !== '')
    .map(([name, text]) => `${name}=${text}`);
  return [op.side, op.op, ...fields].join(' ');
}

/** The whole program, one operation a line. */
export function formatProgram(operations: readonly Op[]): string {
  return operations.map((op) => `${formatOp(op)}\n`).join('');
}

const hexFields = new Set([
  'flags',
  'attrs',
  'set',
  'clear',
  'recSet',
  'recClear',
  'clearUnlocked',
  'sbFlags',
  'propagation',
  'keep',
  'effective',
  'permitted',
  'inheritable',
  'mask',
  'persona',
]);
const octalFields = new Set(['mode']);

function formatValue(type: string, name: string, value: unknown): string {
  if (value === undefined) return '';
  switch (type) {
    case 'str':
      return value === '' ? '' : quote(value as string);
    case 'strs':
      return (value as readonly string[]).length === 0 ? '' : `[${(value as readonly string[]).map(quote).join(' ')}]`;
    case 'bytes':
      return formatBytes(value as Uint8Array);
    case 'slot':
      return `#${String(value)}`;
    default:
      if (Number(value) === 0 && name !== 'uid' && name !== 'gid') return '';
      if (octalFields.has(name)) return `0${(value as number).toString(8)}`;
      return hexFields.has(name) ? `0x${(value as number | bigint).toString(16)}` : String(value);
  }
}

function formatBytes(bytes: Uint8Array): string {
  if (bytes.length === 0) return '';
  const text = Buffer.from(bytes).toString('latin1');
  return bytes.length <= 128 && /^[\x20-\x7e\n]*$/.test(text) ? quote(text) : `<${bytes.length} bytes>`;
}

function quote(text: string): string {
  return /^[\w./:@=,+-]+$/.test(text) ? text : JSON.stringify(text);
}
