import { pathBytes } from '../../../base/index.ts';
import type { EntryKind, TarEntry } from './entry.ts';
import { blockBytes } from './header.ts';

const types: Readonly<Record<EntryKind, string>> = { file: '0', link: '1', symlink: '2', character: '3', block: '4', directory: '5', fifo: '6' };
const nameBytes = 100;
/** The largest that octal digits of the fields say. */
const maxId = 0o7777777;
const maxSize = 8 ** 11 - 1;
const second = 1_000_000_000n;

/** The two blocks of zeros that end an archive. */
export const endOfArchive: Uint8Array = new Uint8Array(2 * blockBytes);

/**
 * The header of an entry: ustar, and before it a PAX header for whatever ustar cannot say, and for nothing else, so that the same entry is the same bytes
 * everywhere. Content follows it, and `paddingOf` its size.
 */
export function encodeEntry(entry: TarEntry): Buffer {
  const name = pathBytes(entry.name);
  const linkName = pathBytes(entry.linkName);
  const records = paxRecords(entry, name, linkName);
  const header = ustar({ ...entry, type: types[entry.kind], name, linkName, mtime: entry.mtimeNs / second });
  return records.length === 0 ? header : Buffer.concat([...extended(records, name), header]);
}

/** Zeros up to the next block. */
export function paddingOf(sizeBytes: number): Uint8Array {
  return endOfArchive.subarray(0, (blockBytes - (sizeBytes % blockBytes)) % blockBytes);
}

type PaxRecord = readonly [key: string, value: Buffer];

function paxRecords(entry: TarEntry, name: Buffer, linkName: Buffer): PaxRecord[] {
  const records: PaxRecord[] = [];
  const text = (key: string, value: string) => records.push([key, Buffer.from(value)]);
  if (!fits(name)) records.push(['path', name]);
  if (!fits(linkName)) records.push(['linkpath', linkName]);
  if (records.some(([, value]) => !isUtf8(value))) text('hdrcharset', 'BINARY');
  if (entry.uid > maxId) text('uid', String(entry.uid));
  if (entry.gid > maxId) text('gid', String(entry.gid));
  if (entry.sizeBytes > maxSize) text('size', String(entry.sizeBytes));
  if (entry.mtimeNs < 0n || entry.mtimeNs % second !== 0n || entry.mtimeNs / second > maxSize) text('mtime', seconds(entry.mtimeNs));
  for (const [key, value] of entry.xattrs) records.push(xattrRecord(key, value));
  // The character set is said before what it is of (IEEE 1003.1, pax, "hdrcharset").
  const order = ([key]: PaxRecord) => (key === 'hdrcharset' ? '' : key);
  return records.sort((a, b) => (order(a) < order(b) ? -1 : 1));
}

/** A key may not hold what ends it: libarchive's form says that too. */
function xattrRecord(key: string, value: Buffer): PaxRecord {
  if (!key.includes('=') && value.length > 0) return [`SCHILY.xattr.${key}`, value];
  const quoted = key.replaceAll('%', '%25').replaceAll('=', '%3D');
  return [`LIBARCHIVE.xattr.${quoted}`, Buffer.from(value.toString('base64').replace(/=+$/, ''))];
}

/** ASCII alone: how other bytes of a ustar name are read differs. */
function fits(name: Buffer): boolean {
  return name.length <= nameBytes && name.every((byte) => byte < 0x80);
}

function isUtf8(bytes: Buffer): boolean {
  return bytes.equals(Buffer.from(bytes.toString('utf8')));
}

function seconds(ns: bigint): string {
  const magnitude = ns < 0n ? -ns : ns;
  const fraction = String(magnitude % second)
    .padStart(9, '0')
    .replace(/0+$/, '');
  return `${ns < 0n ? '-' : ''}${magnitude / second}${fraction === '' ? '' : `.${fraction}`}`;
}

/** The PAX header itself, named as a file that a reader without PAX makes of it. */
function extended(records: readonly PaxRecord[], name: Buffer): Buffer[] {
  const body = Buffer.concat(records.map(([key, value]) => paxRecord(Buffer.concat([pathBytes(key), Buffer.from('='), value, Buffer.from('\n')]))));
  const base = name.subarray(name.lastIndexOf('/', name.length - 2) + 1);
  const ownName = Buffer.concat([Buffer.from('PaxHeaders.0/'), base]).subarray(0, nameBytes);
  const header = ustar({ type: 'x', name: ownName, linkName: Buffer.alloc(0), mode: 0o644, uid: 0, gid: 0, sizeBytes: body.length, mtime: 0n });
  return [header, body, Buffer.from(paddingOf(body.length))];
}

/** `LENGTH KEY=VALUE\n`, where the length counts itself. */
function paxRecord(body: Buffer): Buffer {
  const rest = body.length + 1;
  let length = rest + String(rest).length;
  if (String(length).length > String(rest).length) length = rest + String(length).length;
  return Buffer.concat([Buffer.from(`${length} `), body]);
}

interface UstarFields {
  readonly type: string;
  readonly name: Buffer;
  readonly linkName: Buffer;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  readonly mtime: bigint;
  readonly devMajor?: number;
  readonly devMinor?: number;
}

/** What a field cannot hold stands in a PAX record: the name is cut, numbers are 0. */
function ustar({ type, name, linkName, mode, uid, gid, sizeBytes, mtime, devMajor = 0, devMinor = 0 }: UstarFields): Buffer {
  const block = Buffer.alloc(blockBytes);
  const octal = (value: number, start: number, digits: number) => block.write(`${value.toString(8).padStart(digits, '0')}\0`, start, 'latin1');
  name.copy(block, 0, 0, nameBytes);
  octal(mode & 0o7777, 100, 7);
  octal(uid > maxId ? 0 : uid, 108, 7);
  octal(gid > maxId ? 0 : gid, 116, 7);
  octal(sizeBytes > maxSize ? 0 : sizeBytes, 124, 11);
  octal(mtime < 0n || mtime > maxSize ? 0 : Number(mtime), 136, 11);
  block.fill(0x20, 148, 156);
  block.write(type, 156, 'latin1');
  linkName.copy(block, 157, 0, nameBytes);
  block.write('ustar\x0000', 257, 'latin1');
  if (type === types.character || type === types.block) {
    octal(devMajor, 329, 7);
    octal(devMinor, 337, 7);
  }
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}
