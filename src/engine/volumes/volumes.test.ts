import { afterEach, beforeEach, expect, test } from 'bun:test';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Volumes } from './index.ts';

let directory: string;
let actions: string[];
const open = async () =>
  await Volumes.open({ directory, events: { publish: ({ action, id }) => actions.push(`${action} ${id}`) }, now: () => new Date('2026-01-02T03:04:05.678Z') });

beforeEach(() => {
  directory = mkdtempSync(path.join(os.tmpdir(), 'strake-volumes-'));
  actions = [];
});
afterEach(() => rmSync(directory, { recursive: true }));

test('a volume is made once, kept over a restart, and removed with its files', async () => {
  const volumes = await open();
  const expected = {
    CreatedAt: '2026-01-02T03:04:05Z',
    Driver: 'local',
    Labels: { tier: 'front' },
    Mountpoint: `${directory}/data/_data`,
    Name: 'data',
    Options: null,
    Scope: 'local' as const,
  };
  expect(await volumes.create({ name: 'data', labels: { tier: 'front' } })).toEqual(expected);
  expect(await volumes.create({ name: 'data', labels: { other: 'ignored' } })).toEqual(expected);
  writeFileSync(`${directory}/data/_data/file`, 'x');
  const again = await open();
  expect(again.list()).toEqual([expected]);
  expect(await again.sizeBytes('data')).toBe(1);
  await again.remove('data');
  expect(readdirSync(directory)).toEqual([]);
  expect(actions).toEqual(['create data', 'destroy data']);
});

test.each([
  ['a', 'volume name is too short, names should be at least two alphanumeric characters'],
  [
    '../x',
    'create ../x: "../x" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path',
  ],
  ['.removed-x', expect.stringContaining('invalid characters')],
  ['a/b', expect.stringContaining('invalid characters')],
  ['a\nb', expect.stringContaining('invalid characters')],
  ['x'.repeat(256), expect.stringContaining('longer than 255')],
])('refuses the name %j', async (name, message) => {
  const volumes = await open();
  await expect(volumes.create({ name })).rejects.toMatchObject({ code: 'InvalidArgument', message });
  expect(readdirSync(directory)).toEqual([]);
});

test('a volume that a container has stays', async () => {
  const volumes = await open();
  await volumes.create({ name: 'data' });
  volumes.acquire('data', 'c1');
  volumes.acquire('data', 'c1');
  await expect(volumes.remove('data')).rejects.toMatchObject({ code: 'FailedPrecondition', message: 'remove data: volume is in use - [c1]' });
  expect((await volumes.prune(() => true)).names).toEqual([]);
  volumes.release('data', 'c1');
  expect((await volumes.prune(() => true)).names).toEqual(['data']);
  await expect(volumes.remove('data')).rejects.toMatchObject({ code: 'NotFound', message: 'get data: no such volume' });
  await volumes.remove('data', { force: true });
});

test('removal does not follow symlinks', async () => {
  const canary = mkdtempSync(path.join(os.tmpdir(), 'strake-canary-'));
  writeFileSync(`${canary}/file`, 'kept');
  const volumes = await open();
  await volumes.create({ name: 'data' });
  symlinkSync(canary, `${directory}/data/_data/link`);
  expect(await volumes.sizeBytes('data')).toBe(0);
  await volumes.remove('data');
  expect(existsSync(`${canary}/file`)).toBe(true);
  rmSync(canary, { recursive: true });
});

test('an anonymous volume has a random name and says so; another driver or option is refused', async () => {
  const volumes = await open();
  const { Name: name, Labels: labels } = await volumes.create({});
  expect(name).toMatch(/^[0-9a-f]{64}$/);
  expect(labels).toEqual({ 'com.docker.volume.anonymous': '' });
  expect(volumes.isAnonymous(name)).toBe(true);
  await expect(volumes.create({ name: 'data', driver: 'nfs' })).rejects.toMatchObject({
    code: 'NotFound',
    message: 'error looking up volume plugin nfs: plugin "nfs" not found',
  });
  await expect(volumes.create({ name: 'data', options: { type: 'nfs' } })).rejects.toMatchObject({ message: 'create data: invalid option: "type"' });
});

test('what a crash left half removed goes at the next start', async () => {
  const volumes = await open();
  await volumes.create({ name: 'data' });
  writeFileSync(`${directory}/data/volume.json`, '{torn');
  mkdirSync(`${directory}/.removed-1/_data`, { recursive: true });
  const again = await open();
  expect(again.list().map(({ Name, CreatedAt }) => [Name, CreatedAt])).toEqual([['data', '1970-01-01T00:00:00.000Z']]);
  expect(readdirSync(directory)).toEqual(['data']);
});
