import fc from 'fast-check';
import { resolveUser } from '../../src/core/index.ts';
import { parseGroup, parsePasswd } from '../../src/core/users/account-files.ts';
import { accepted, check } from '../target.ts';

const id = fc.oneof(
  fc.constantFrom(
    '',
    '0',
    '00',
    '0x0',
    '-0',
    '+0',
    '0.0',
    '1e3',
    ' 0',
    '1',
    '33',
    '1000abc',
    '-1',
    '2147483647',
    '2147483648',
    '4294967295',
    '4294967296',
    '٠',
  ),
  fc.nat().map(String),
);
const name = fc.oneof(fc.constantFrom('root', 'www', 'a', '0', '33', '', 'x y', '__proto__', 'toString'), fc.string({ maxLength: 6 }));
const home = fc.oneof(fc.constantFrom('', '/', '/root', '/a\tb', '/\u0001'), fc.string({ maxLength: 8, unit: 'binary' }));
const fields = (parts: fc.Arbitrary<string>[]) => fc.tuple(...parts).map((all) => all.join(':'));
const line = fc.oneof(
  fields([name, name, id, id, name, home, name]),
  fields([name, name, id, name]),
  fields([name, id]),
  fc.string({ maxLength: 30, unit: 'binary' }),
);
const file = fc.array(line, { maxLength: 6 }).map((lines) => lines.join('\n'));
const user = fc.oneof(
  name,
  id,
  fc.tuple(fc.oneof(name, id), fc.oneof(name, id)).map((both) => both.join(':')),
  fc.string({ maxLength: 10 }),
);

/** The account files of an image: nobody becomes root but who is named so, by the number 0 (with a sign too, as with docker) or by an entry that says exactly that. */
export function users(runs: number, seed: number): void {
  const property = fc.property(user, file, file, fc.array(fc.oneof(name, id), { maxLength: 2 }), (spec, passwd, group, added) => {
    const accounts = { users: parsePasswd(passwd), groups: parseGroup(group) };
    for (const entry of accounts.users) {
      for (const value of [entry.uid, entry.gid])
        check(Number.isInteger(value) && value >= 0 && value < 2 ** 31, `the id ${value} in ${JSON.stringify(passwd)}`);
      check(!/[\n\r\0]/.test(entry.home), 'a home of several lines');
    }
    const found = accepted(() => resolveUser(spec, accounts, added));
    if (found === undefined) return;
    for (const value of [found.uid, found.gid, ...found.additionalGids]) check(Number.isInteger(value) && value >= 0 && value < 2 ** 31, `the id ${value}`);
    const [who = ''] = spec.split(':');
    const named = accounts.users.some(({ name, uid }) => name === who && uid === 0);
    if (found.uid === 0) check(who === '' || /^[+-]?0+$/.test(who) || named, `${JSON.stringify(spec)} is root`);
  });
  fc.assert(property, { numRuns: runs, seed });
}
