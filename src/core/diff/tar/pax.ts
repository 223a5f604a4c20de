import { pathBytes, pathText } from '../../../base/index.ts';
import { aclXattr } from './acl.ts';
import { damaged } from './header.ts';

/** Extended header records, values as bytes (an extended attribute is binary). */
export type PaxRecords = ReadonlyMap<string, Buffer>;

/** The oldest map of sparse files in records (GNU tar, format 0.0): the same keys again for every part. */
const sparseParts = new Set(['GNU.sparse.offset', 'GNU.sparse.numbytes']);

/**
 * Parses `LENGTH KEY=VALUE\n` records (IEEE 1003.1, "pax Extended Header"). An empty value takes a record back, but for an extended attribute, which may
 * be empty.
 */
export function parsePax(bytes: Buffer): PaxRecords {
  const records = new Map<string, Buffer>();
  const sparse: string[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    const space = bytes.indexOf(0x20, offset);
    const digits = space === -1 || space - offset > 10 ? '' : bytes.toString('latin1', offset, space);
    if (!/^[1-9]\d*$/.test(digits)) throw damaged('an extended header record has no length');
    const end = offset + Number(digits);
    if (end > bytes.length || end <= space + 1 || bytes[end - 1] !== 0x0a) throw damaged('an extended header record has a wrong length');
    const equals = bytes.indexOf(0x3d, space + 1);
    if (equals === -1 || equals >= end) throw damaged('an extended header record has no value');
    const key = pathText(bytes, space + 1, equals);
    const value = bytes.subarray(equals + 1, end - 1);
    if (sparseParts.has(key)) sparse.push(value.toString('latin1'));
    else if (value.length === 0 && !isXattr(key)) records.delete(key);
    else records.set(key, Buffer.from(value));
    offset = end;
  }
  if (sparse.length > 0 && !records.has('GNU.sparse.map')) records.set('GNU.sparse.map', Buffer.from(sparse.join(), 'latin1'));
  return records;
}

const xattrPrefix = 'SCHILY.xattr.';
/** libarchive's form: the name quoted as in a URL, the value in base64. */
const libarchivePrefix = 'LIBARCHIVE.xattr.';

function isXattr(key: string): boolean {
  return key.startsWith(xattrPrefix) || key.startsWith(libarchivePrefix);
}

const aclAttributes = [
  ['SCHILY.acl.access', 'system.posix_acl_access'],
  ['SCHILY.acl.default', 'system.posix_acl_default'],
] as const;

/** The extended attributes that the records tell, lists of access too. Two forms of one are one. */
export function paxXattrs(records: PaxRecords): (readonly [name: string, value: Buffer])[] {
  const found = new Map<string, Buffer>();
  for (const [key, name] of aclAttributes) {
    const value = aclXattr(records.get(key)?.toString('latin1') ?? '');
    if (value) found.set(name, value);
  }
  for (const [key, value] of records) if (key.startsWith(xattrPrefix)) found.set(key.slice(xattrPrefix.length), value);
  for (const [key, value] of records) {
    if (key.startsWith(libarchivePrefix)) {
      const quoted = key.slice(libarchivePrefix.length);
      const name = unquote(quoted);
      // libarchive says an attribute in both forms, and quotes the name in both.
      if (name !== quoted) found.delete(quoted);
      if (!found.has(name)) found.set(name, Buffer.from(value.toString('latin1'), 'base64'));
    }
  }
  return [...found];
}

/** Quoted are bytes, not characters. */
function unquote(text: string): string {
  const bytes = pathBytes(text).toString('latin1');
  return pathText(
    Buffer.from(
      bytes.replaceAll(/%([0-9a-fA-F]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16))),
      'latin1',
    ),
  );
}

export function paxText(records: PaxRecords, key: string): string | undefined {
  const value = records.get(key);
  if (value === undefined) return undefined;
  if (value.includes(0)) throw damaged(`extended header ${key} has a NUL byte`);
  return pathText(value);
}

/** A whole number that is not negative. */
export function paxNumber(records: PaxRecords, key: string): number | undefined {
  const value = records.get(key)?.toString('latin1');
  if (value === undefined) return undefined;
  const number = Number(value);
  if (!/^\d{1,16}$/.test(value) || !Number.isSafeInteger(number)) throw damaged(`extended header ${key} is not a number`);
  return number;
}

/** A time in ns since the epoch; the record is decimal seconds, as fine as it likes. */
export function paxTimeNs(records: PaxRecords, key: string): bigint | undefined {
  const value = records.get(key)?.toString('latin1', 0, 64);
  if (value === undefined) return undefined;
  const match = /^(-?)(\d{1,11})(?:\.(\d*))?$/.exec(value);
  if (!match) throw damaged(`extended header ${key} is not a time`);
  const nanoseconds = BigInt(match[2] ?? 0) * 1_000_000_000n + BigInt((match[3] ?? '').slice(0, 9).padEnd(9, '0'));
  return match[1] === '-' ? -nanoseconds : nanoseconds;
}
