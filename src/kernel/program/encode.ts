import { pathByteLength, pathBytes, StrakeError } from '../../base/index.ts';
import { type Op, type OpFieldType, opTable } from './ops.gen.ts';

/** "No descriptor" in a slot field. */
export const noSlot = 0xffff_ffff;
const headerBytes = 24;
const operationHeaderBytes = 8;
const programVersion = 1;
const sideCodes = { host: 0, init: 1, file: 2 } as const;

/** Limits that strake-init checks too (docs/CONTRACTS.md). */
export const programLimits = { bytes: 4 << 20, operations: 4096 } as const;

export interface EncodeOptions {
  /** Ask for a duration in ns of every operation in the report. */
  readonly trace?: boolean;
}

/** Encodes a program (docs/CONTRACTS.md, "Program encoding"). Throws InvalidArgument for what cannot be said in it. */
export function encodeProgram(operations: readonly Op[], options: EncodeOptions = {}): Buffer {
  if (operations.length > programLimits.operations)
    throw new StrakeError('InvalidArgument', `program has ${operations.length} operations, at most ${programLimits.operations} are possible`, {
      fields: { layer: 'kernel' },
    });
  const body = encodeOperations(operations);
  if (body.length > programLimits.bytes)
    throw new StrakeError('InvalidArgument', `program has ${body.length} bytes, at most ${programLimits.bytes} are possible`, { fields: { layer: 'kernel' } });
  const header = Buffer.alloc(headerBytes);
  header.write('STRK', 0, 'latin1');
  header.writeUInt16LE(programVersion, 4);
  header.writeUInt16LE(options.trace ? 1 : 0, 6);
  header.writeUInt32LE(operations.length, 8);
  header.writeUInt32LE(body.length, 12);
  return Buffer.concat([header, body]);
}

/** Operations back to back, as a FILE_OPS frame carries them. */
export function encodeOperations(operations: readonly Op[]): Buffer {
  const buffer = Buffer.allocUnsafe(operations.reduce((sum, op) => sum + operationLength(op), 0));
  let offset = 0;
  for (const op of operations) offset = writeOperation(buffer, offset, op);
  return buffer;
}

/** Writes one operation at `start`, where there must be room for `operationLength` bytes; answers where it ends. */
export function writeOperation(buffer: Buffer, start: number, op: Op): number {
  const { code, fields } = opTable[op.op];
  buffer.writeUInt16LE(code, start);
  buffer[start + 2] = sideCodes[op.side];
  buffer[start + 3] = 0;
  let offset = start + operationHeaderBytes;
  for (const [type, name] of fields) offset = writeField(buffer, offset, type, fieldOf(op, name));
  buffer.writeUInt32LE(offset - start - operationHeaderBytes, start + 4);
  return offset;
}

export function operationLength(op: Op): number {
  let length = operationHeaderBytes;
  for (const [type, name] of opTable[op.op].fields) length += fieldLength(op, type, name);
  return length;
}

function fieldOf(op: Op, name: string): unknown {
  return (op as unknown as Readonly<Record<string, unknown>>)[name];
}

function fieldLength(op: Op, type: OpFieldType, name: string): number {
  const value = fieldOf(op, name);
  switch (type) {
    case 'u64':
    case 'i64':
      return 8;
    case 'str':
      return 4 + textLength((value as string | undefined) ?? '', op, name);
    case 'bytes':
      return 4 + ((value as Uint8Array | undefined)?.length ?? 0);
    case 'strs':
      return ((value as readonly string[] | undefined) ?? []).reduce((sum, text) => sum + 4 + textLength(text, op, name), 4);
    default:
      return 4;
  }
}

function textLength(text: string, op: Op, name: string): number {
  if (text.includes('\0'))
    throw new StrakeError('InvalidArgument', `operation ${op.op}: ${name} has a NUL byte`, { fields: { layer: 'kernel', operation: op.op } });
  return pathByteLength(text);
}

function writeField(buffer: Buffer, offset: number, type: OpFieldType, value: unknown): number {
  switch (type) {
    case 'u32':
      return buffer.writeUInt32LE((value as number | undefined) ?? 0, offset);
    case 'slot':
      return buffer.writeUInt32LE((value as number | undefined) ?? noSlot, offset);
    case 'i32':
      return buffer.writeInt32LE((value as number | undefined) ?? 0, offset);
    case 'u64':
      return buffer.writeBigUInt64LE(BigInt((value as number | bigint | undefined) ?? 0), offset);
    case 'i64':
      return buffer.writeBigInt64LE(BigInt((value as number | bigint | undefined) ?? 0), offset);
    case 'str':
      return writeText(buffer, offset, (value as string | undefined) ?? '');
    case 'bytes': {
      const bytes = (value as Uint8Array | undefined) ?? new Uint8Array();
      const start = buffer.writeUInt32LE(bytes.length, offset);
      buffer.set(bytes, start);
      return start + bytes.length;
    }
    case 'strs': {
      const texts = (value as readonly string[] | undefined) ?? [];
      return texts.reduce((next, text) => writeText(buffer, next, text), buffer.writeUInt32LE(texts.length, offset));
    }
  }
}

function writeText(buffer: Buffer, offset: number, text: string): number {
  const length = text.isWellFormed() ? buffer.write(text, offset + 4, 'utf8') : pathBytes(text).copy(buffer, offset + 4);
  buffer.writeUInt32LE(length, offset);
  return offset + 4 + length;
}
