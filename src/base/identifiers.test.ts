import { expect, test } from 'bun:test';
import { checkIdentifier } from './identifiers.ts';

const pattern = '^[A-Za-z0-9]+(?:[._-](?:[A-Za-z0-9]+))*$';

test.each(['default', 'k8s.io', 'a', 'A-b_c.d', '0', 'x'.repeat(76)])('%s is an identifier', (name) => {
  checkIdentifier(name);
});

test.each([
  ['', 'identifier must not be empty'],
  ['../x', `identifier "../x" must match ${pattern}`],
  ['a..b', `identifier "a..b" must match ${pattern}`],
  ['a/b', `identifier "a/b" must match ${pattern}`],
  ['-a', `identifier "-a" must match ${pattern}`],
  ['a\n', `identifier "a\\n" must match ${pattern}`],
  ['x'.repeat(77), `identifier "${'x'.repeat(77)}" greater than maximum length (76 characters)`],
])('%j is none', (name, message) => {
  expect(() => checkIdentifier(name)).toThrow(message);
  expect(() => checkIdentifier(name, 'container.ID')).toThrow(`container.ID: ${message}`);
});
