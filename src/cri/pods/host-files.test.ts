import { expect, test } from 'bun:test';
import { resolvConf } from './host-files.ts';

test.each([
  [{}, ''],
  [
    { servers: ['10.0.0.10', '::1'], searches: ['a.svc', 'svc'], options: ['ndots:5'] },
    'search a.svc svc\nnameserver 10.0.0.10\nnameserver ::1\noptions ndots:5\n',
  ],
  [{ searches: Array.from({ length: 40 }, () => 'x') }, `search ${Array.from({ length: 32 }, () => 'x').join(' ')}\n`],
])('resolv.conf of %j', (given, expected) => {
  expect(resolvConf({ servers: [], searches: [], options: [], ...given })).toBe(expected);
});
