import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { isCode } from '../base/index.ts';
import { canonicalName, familiarName, parseReference, withDefaultTag } from './reference.ts';

const hex = 'a'.repeat(64);

test.each([
  ['busybox', 'docker.io/library/busybox:latest', 'busybox:latest'],
  ['busybox:1.36', 'docker.io/library/busybox:1.36', 'busybox:1.36'],
  ['docker.io/busybox', 'docker.io/library/busybox:latest', 'busybox:latest'],
  ['index.docker.io/library/busybox', 'docker.io/library/busybox:latest', 'busybox:latest'],
  ['someone/app', 'docker.io/someone/app:latest', 'someone/app:latest'],
  ['library/a/b', 'docker.io/library/a/b:latest', 'library/a/b:latest'],
  ['localhost/app', 'localhost/app:latest', 'localhost/app:latest'],
  ['localhost:5000/a/b:t', 'localhost:5000/a/b:t', 'localhost:5000/a/b:t'],
  ['[::1]:5000/a', '[::1]:5000/a:latest', '[::1]:5000/a:latest'],
  ['Registry/a', 'Registry/a:latest', 'Registry/a:latest'],
  ['gcr.io/x__y/z-1.2', 'gcr.io/x__y/z-1.2:latest', 'gcr.io/x__y/z-1.2:latest'],
  [`a@sha256:${hex}`, `docker.io/library/a@sha256:${hex}`, `a@sha256:${hex}`],
  [`a:t@sha256:${hex}`, `docker.io/library/a:t@sha256:${hex}`, `a:t@sha256:${hex}`],
])('%s is %s', (text, canonical, familiar) => {
  const reference = withDefaultTag(parseReference(text));
  expect(canonicalName(reference)).toBe(canonical);
  expect(familiarName(reference)).toBe(familiar);
  expect(parseReference(canonical)).toEqual(reference);
});

test.each([
  ['', 'invalid reference format'],
  [':x', 'invalid reference format'],
  ['a:', 'invalid reference format'],
  ['a@', 'invalid reference format'],
  ['a b', 'invalid reference format'],
  ['../x', 'invalid reference format'],
  ['a//b', 'invalid reference format'],
  ['a/', 'invalid reference format'],
  ['-a', 'invalid reference format'],
  ['a..b', 'invalid reference format'],
  ['a\n', 'invalid reference format'],
  ['localhost:x/a', 'invalid reference format'],
  ['a@sha256:zz', 'invalid reference format'],
  [`a@sha256:${hex}/../x`, 'invalid reference format'],
  [`a:${'t'.repeat(129)}`, 'invalid reference format'],
  ['Busybox', 'invalid reference format: repository name (library/Busybox) must be lowercase'],
  [hex, `invalid repository name (${hex}), cannot specify 64-byte hexadecimal strings`],
  [`x/${'a'.repeat(300)}`, 'repository name must not be more than 255 characters'],
  ['a'.repeat(2000), 'invalid reference format'],
])('%p is refused', (text, message) => {
  expect(() => parseReference(text)).toThrow(new Error(message));
});

const alphanumeric = fc.stringMatching(/^[a-z0-9]{1,8}$/);
const component = fc
  .tuple(alphanumeric, fc.array(fc.tuple(fc.constantFrom('.', '_', '__', '-', '---'), alphanumeric), { maxLength: 3 }))
  .map(([first, rest]) => first + rest.flat().join(''));
const path = fc.array(component, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
const host = fc.oneof(
  fc.constantFrom('localhost', 'REGISTRY', '[::1]'),
  fc.tuple(alphanumeric, alphanumeric).map((labels) => labels.join('.')),
);
const domain = fc
  .tuple(host, fc.option(fc.integer({ min: 1, max: 65535 }), { nil: undefined }))
  .map(([name, port]) => (port === undefined ? name : `${name}:${port}`));
const tag = fc.option(fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/), { nil: undefined });
const digest = fc.option(
  fc
    .tuple(fc.constantFrom(['sha256', 64] as const, ['sha512', 128] as const), fc.stringMatching(/^[0-9a-f]{128}$/))
    .map(([[name, length], text]) => `${name}:${text.slice(0, length)}`),
  { nil: undefined },
);

const reference = fc.record({ domain, path, tag, digest });

test('what the grammar makes is taken apart again, from either form', () => {
  fc.assert(
    fc.property(reference, (made) => {
      expect(parseReference(canonicalName(made))).toEqual(made);
      expect(parseReference(familiarName(made))).toEqual(made);
    }),
  );
});

test('Docker’s own registry and its official images may be left out', () => {
  fc.assert(
    fc.property(component, tag, digest, (name, ownTag, ownDigest) => {
      fc.pre(!/^[a-f0-9]{64}$/.test(name));
      const made = { domain: 'docker.io', path: `library/${name}`, tag: ownTag, digest: ownDigest };
      const short = familiarName(made);
      expect(short.startsWith(name)).toBe(true);
      for (const text of [short, `docker.io/${short}`, `library/${short}`, `index.docker.io/library/${short}`]) expect(parseReference(text)).toEqual(made);
    }),
  );
});

test('any text is a reference that says itself again, or InvalidArgument', () => {
  const anything = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: fc.constantFrom(...'aB1./:@-_[]') }), canonicalText());
  fc.assert(
    fc.property(anything, (text) => {
      try {
        const parsed = parseReference(text);
        expect(parseReference(canonicalName(parsed))).toEqual(parsed);
      } catch (error) {
        expect(isCode(error, 'InvalidArgument')).toBe(true);
      }
    }),
    { numRuns: 2000 },
  );
});

/** A good reference with one character changed. */
function canonicalText() {
  return fc.tuple(reference, fc.nat(), fc.string({ minLength: 1, maxLength: 1 })).map(([made, at, other]) => {
    const text = canonicalName(made);
    const index = at % text.length;
    return text.slice(0, index) + other + text.slice(index + 1);
  });
}
