/** Files of containers where layers are whole copies: what is copied, what changed, what a commit takes. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { startRegistry } from '../fixtures/registry.ts';
import { Engine } from '../lib/engine.ts';
import { PeerWorld } from '../lib/peer-world.ts';
import { busybox } from './steps/step.ts';

const setupMs = 600_000;

let peers: PeerWorld;
let engine: Engine;

const ok = async (argv: readonly string[], stdin = ''): Promise<string> => await engine.ownOutput(argv, { stdin });

beforeAll(async () => {
  peers = await PeerWorld.start();
  await startRegistry(peers);
  engine = await Engine.join(peers, ['--storage-driver', 'native']);
  await ok(['pull', '--quiet', busybox]);
}, setupMs);

afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
  await peers?.[Symbol.asyncDispose]();
}, setupMs);

test('cp, diff, commit and export', async () => {
  await ok(['run', '--name', 'made', busybox, 'sh', '-c', 'mkdir /new; echo x >/new/file; rm /bin/true; echo y >>/etc/passwd']);
  expect(await ok(['diff', 'made'])).toBe('C /bin\nD /bin/true\nC /etc\nC /etc/passwd\nA /new\nA /new/file\n');
  await ok(['cp', '/etc/hostname', 'made:/new/copied']);
  expect(await engine.world.output(['sh', '-c', `${engine.strake.join(' ')} cp made:/new - | tar -tf -`])).toBe('new/\nnew/copied\nnew/file\n');
  expect(await engine.world.output(['sh', '-c', `${engine.strake.join(' ')} export made | tar -xOf - new/file`])).toBe('x\n');
  await ok(['commit', 'made', 'made:1']);
  expect(await ok(['image', 'diff', '--files', busybox, 'made:1'])).toBe('C /bin\nD /bin/true\nC /etc\nC /etc/passwd\nA /new\nA /new/copied\nA /new/file\n');
  await ok(['rm', 'made']);
  await ok(['rmi', 'made:1']);
}, 120_000);
