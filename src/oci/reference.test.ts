import { expect, test } from 'bun:test';
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
