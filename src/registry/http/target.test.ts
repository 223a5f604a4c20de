import { expect, test } from 'bun:test';
import { parseTarget, type Target } from './target.ts';

const digest = `sha256:${'a'.repeat(64)}`;

const table: readonly (readonly [string, Target | undefined])[] = [
  ['/v2/', { kind: 'base' }],
  ['/v2', { kind: 'base' }],
  ['/v2/_catalog', { kind: 'catalogue' }],
  ['/v2/a/tags/list', { kind: 'tags', repository: 'a' }],
  ['/v2/a/b/manifests/latest', { kind: 'manifest', repository: 'a/b', reference: 'latest' }],
  [`/v2/a/blobs/${digest}`, { kind: 'blob', repository: 'a', reference: digest }],
  [`/v2/a/blobs/${digest.replace(':', '%3A')}`, { kind: 'blob', repository: 'a', reference: digest }],
  ['/v2/a/blobs/uploads/', { kind: 'uploads', repository: 'a' }],
  ['/v2/a/blobs/uploads', { kind: 'uploads', repository: 'a' }],
  ['/v2/a/blobs/uploads/x', { kind: 'upload', repository: 'a', reference: 'x' }],
  ['/v2/blobs/uploads/manifests/x', { kind: 'manifest', repository: 'blobs/uploads', reference: 'x' }],
  [`/v2/a/referrers/${digest}`, { kind: 'referrers', repository: 'a', reference: digest }],
  ['/v1/', undefined],
  ['/v2/a', undefined],
  [`/v2/${'a/'.repeat(600)}tags/list`, undefined],
];

test.each(table)('%s', (path, target) => {
  expect(parseTarget(path)).toEqual(target);
});

test.each(['/v2/A/tags/list', '/v2/a//b/tags/list', '/v2/../x/tags/list', '/v2/a%2f..%2fb/tags/list', `/v2/${'a'.repeat(256)}/tags/list`, '/v2/%ff/tags/list'])(
  '%s has no name of a repository',
  (path) => {
    expect(() => parseTarget(path)).toThrow('invalid repository name');
  },
);
