import { expect, test } from 'bun:test';
import { resolveLinks } from './resolve-link.ts';

const links: Readonly<Record<string, string>> = { '/conf': '/real/conf', '/var/run': '../run', '/up': '../../../etc', '/loop': 'loop', '/a': 'b', '/b': 'c/d' };

test.each([
  ['/proc', '/proc'],
  ['/conf', '/real/conf'],
  ['/conf/x.d', '/real/conf/x.d'],
  ['/var/run/x', '/run/x'],
  ['/up/passwd', '/etc/passwd'],
  ['/a/e', '/c/d/e'],
  ['a//./e/', '/c/d/e'],
  ['/loop', '/loop'],
  ['/', '/'],
])('%s is %s', (target, resolved) => expect(resolveLinks(target, (name) => links[name])).toBe(resolved));
