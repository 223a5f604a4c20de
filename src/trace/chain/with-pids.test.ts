import { expect, test } from 'bun:test';
import type { ChainLink } from './link.ts';
import { withPids } from './with-pids.ts';

const link = (seam: string, pid?: number, ...sockets: string[]): ChainLink => ({ seam, implementation: seam, pid, sockets });
const shown = (links: readonly ChainLink[]) => links.map(({ seam, pid }) => `${seam} ${pid}`);

test('a daemon at several seams is one row a seam, and none of its own', () => {
  const heads = [link('engine', undefined, 'unix:///e.sock'), link('containerd', undefined, '/c.sock'), link('runtime')];
  const below = [link('daemon', 7, '/c.sock', '/e.sock'), link('monitor', 8)];
  expect(shown(withPids(heads, below))).toEqual(['engine 7', 'containerd 7', 'runtime undefined', 'monitor 8']);
});

test('a daemon that stands at none of them stays', () => {
  expect(shown(withPids([link('engine', undefined, 'tcp://x:1')], [link('daemon', 7, '/c.sock')]))).toEqual(['engine undefined', 'daemon 7']);
  expect(shown(withPids([link('engine', undefined, '/c.sock')], [link('shim', 9, '/c.sock')]))).toEqual(['engine undefined', 'shim 9']);
});
