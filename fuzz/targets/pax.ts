import fc from 'fast-check';
import { aclXattr } from '../../src/core/diff/tar/acl.ts';
import { parsePax, paxNumber, paxText, paxTimeNs, paxXattrs } from '../../src/core/diff/tar/pax.ts';
import { paxSparse } from '../../src/core/diff/tar/sparse.ts';
import { accepted, check } from '../target.ts';

const key = fc.constantFrom(
  ...[
    'path',
    'linkpath',
    'size',
    'uid',
    'gid',
    'mtime',
    'SCHILY.xattr.user.a',
    'SCHILY.xattr.',
    'LIBARCHIVE.xattr.user.%3D',
    'LIBARCHIVE.xattr.%',
    '__proto__',
  ],
  ...[
    'SCHILY.acl.access',
    'GNU.sparse.map',
    'GNU.sparse.size',
    'GNU.sparse.major',
    'GNU.sparse.minor',
    'GNU.sparse.realsize',
    'GNU.sparse.offset',
    'GNU.sparse.numbytes',
  ],
);
const value = fc.oneof(
  fc.constantFrom(
    '',
    '0',
    '1',
    '-1',
    '1e3',
    '0x1',
    ' 1',
    '9007199254740993',
    '1.5',
    '-1.25',
    '99999999999.9',
    '0,1,2',
    '0,1',
    'user::rwx,group::r--,other::---',
    'a\0b',
  ),
  fc.string({ maxLength: 10, unit: 'binary' }),
);
const record = fc.tuple(key, value).map(([name, text]) => {
  const body = Buffer.byteLength(` ${name}=${text}\n`);
  let length = body + 1;
  while (String(length).length + body !== length) length++;
  return Buffer.from(`${length} ${name}=${text}\n`);
});
const change = fc.tuple(fc.nat(), fc.oneof(fc.nat(255), fc.constantFrom(0x0a, 0x20, 0x30, 0x39, 0x3d, 0)));
const header = fc.tuple(fc.array(record, { maxLength: 5 }), fc.array(change, { maxLength: 3 })).map(([records, changes]) => {
  const bytes = Buffer.concat(records);
  for (const [at, byte] of changes) if (bytes.length > 0) bytes[at % bytes.length] = byte;
  return bytes;
});

/** Extended headers: numbers are whole and in range, texts have no NUL, and what is parsed was in the header. */
export function pax(runs: number, seed: number): void {
  const property = fc.property(header, value, (bytes, text) => {
    accepted(() => aclXattr(text));
    const records = accepted(() => parsePax(bytes));
    if (records === undefined) return;
    for (const stored of records.values()) check(stored.length <= bytes.length, 'a value longer than the header');
    for (const name of ['size', 'uid', 'gid']) {
      const number = accepted(() => paxNumber(records, name));
      check(number === undefined || (Number.isSafeInteger(number) && number >= 0), `${name} ${number}`);
    }
    for (const name of ['path', 'linkpath']) check(!(accepted(() => paxText(records, name)) ?? '').includes('\0'), `${name} with a NUL`);
    accepted(() => paxTimeNs(records, 'mtime'));
    accepted(() => paxSparse(records));
    accepted(() => paxXattrs(records));
  });
  fc.assert(property, { numRuns: runs, seed });
}
