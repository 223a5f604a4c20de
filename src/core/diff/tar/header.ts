import { pathText, StrakeError } from '../../../base/index.ts';

export const blockBytes = 512;

/** POSIX ustar (IEEE 1003.1, pax "ustar Interchange Format"), and GNU's differences. */
export interface TarHeader {
  readonly name: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  /** seconds since the epoch */
  readonly mtime: number;
  readonly type: string;
  readonly linkName: string;
  readonly devMajor: number;
  readonly devMinor: number;
}

const zero = 0x30;
const checksumField = { start: 148, end: 156 } as const;

/** Decodes the 512 bytes of a header; undefined for the block of zeros that ends an archive. */
export function decodeHeader(block: Uint8Array): TarHeader | undefined {
  const buffer = Buffer.from(block.buffer, block.byteOffset, blockBytes);
  if (!checkSum(buffer)) return undefined;
  const magic = buffer.toString('latin1', 257, 263);
  const type = buffer[156] === 0 ? '0' : String.fromCharCode(buffer[156] ?? zero);
  const prefix = magic === 'ustar\0' ? text(buffer, 345, 500) : '';
  const name = text(buffer, 0, 100);
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    mode: numberField(buffer, 100, 108, 'mode') & 0o7777,
    uid: idField(buffer, 108, 116, 'uid'),
    gid: idField(buffer, 116, 124, 'gid'),
    sizeBytes: numberField(buffer, 124, 136, 'size'),
    mtime: numberField(buffer, 136, 148, 'mtime', true),
    type,
    linkName: text(buffer, 157, 257),
    devMajor: magic.startsWith('ustar') ? numberField(buffer, 329, 337, 'device') : 0,
    devMinor: magic.startsWith('ustar') ? numberField(buffer, 337, 345, 'device') : 0,
  };
}

/** False for a block of zeros; throws where the sum is wrong. Old writers summed signed bytes. */
function checkSum(buffer: Buffer): boolean {
  let unsigned = 0;
  let signed = 0;
  for (let index = 0; index < blockBytes; index++) {
    const byte = buffer[index] ?? 0;
    unsigned += byte;
    signed += byte > 127 ? byte - 256 : byte;
  }
  if (unsigned === 0) return false;
  for (let index: number = checksumField.start; index < checksumField.end; index++) {
    const byte = buffer[index] ?? 0;
    unsigned += 32 - byte;
    signed += 32 - (byte > 127 ? byte - 256 : byte);
  }
  const stored = numberField(buffer, checksumField.start, checksumField.end, 'checksum');
  if (stored !== unsigned && stored !== signed) throw damaged('a header has a wrong checksum');
  return true;
}

function text(buffer: Buffer, start: number, end: number): string {
  let stop = buffer.indexOf(0, start);
  if (stop === -1 || stop > end) stop = end;
  return pathText(buffer, start, stop);
}

/** Octal digits, or base 256 big endian with the first bit set (GNU, star). Negative ones are possible for times only. */
export function numberField(buffer: Buffer, start: number, end: number, name: string, mayBeNegative = false): number {
  const first = buffer[start] ?? 0;
  if (first & 0x80) return base256(buffer, start, end, name, mayBeNegative);
  let value = 0;
  let index = start;
  while (index < end && buffer[index] === 0x20) index++;
  for (; index < end; index++) {
    const byte = buffer[index] ?? 0;
    if (byte === 0 || byte === 0x20) break;
    if (byte < zero || byte > 0x37) throw damaged(`${name} in a header is not a number`);
    value = value * 8 + (byte - zero);
  }
  return value;
}

function base256(buffer: Buffer, start: number, end: number, name: string, mayBeNegative: boolean): number {
  const negative = ((buffer[start] ?? 0) & 0x40) !== 0;
  let value = negative ? -1n : 0n;
  for (let index = start; index < end; index++) {
    const byte = BigInt(buffer[index] ?? 0);
    value = index === start && !negative ? byte & 0x7fn : (value << 8n) | byte;
  }
  const number = Number(BigInt.asIntN(64, value));
  if (!Number.isSafeInteger(number) || BigInt(number) !== value || (number < 0 && !mayBeNegative)) throw damaged(`${name} in a header is out of range`);
  return number;
}

function idField(buffer: Buffer, start: number, end: number, name: string): number {
  const id = numberField(buffer, start, end, name);
  // (uid_t) -1 means "leave as it is" to chown(2), so it would be whoever unpacks.
  if (id >= 0xffff_ffff) throw damaged(`${name} ${id} in a header is out of range`);
  return id;
}

export function damaged(problem: string): StrakeError {
  return new StrakeError('InvalidArgument', problem, { fields: { layer: 'core', operation: 'untar' } });
}

export function exhausted(problem: string): StrakeError {
  return new StrakeError('ResourceExhausted', problem, { fields: { layer: 'core', operation: 'untar' } });
}
