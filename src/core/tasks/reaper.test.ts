import { afterAll, expect, test } from 'bun:test';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Reaper } from './reaper.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'strake-reaper-'));
const program = path.join(directory, 'docker-init');
const spec = { ociVersion: '1.0.0', mounts: [{ destination: '/x' }], process: { args: ['sh', '-c', 'true'], cwd: '/' } };
const reaper = new Reaper(directory);
afterAll(() => rmSync(directory, { recursive: true }));

test('it is bound into the container, and runs its process', () => {
  const { mounts, process } = reaper.addTo(spec as never);
  expect(mounts?.at(-1)).toEqual({ destination: '/sbin/docker-init', type: 'bind', source: program, options: ['bind', 'ro'] });
  expect(process?.args).toEqual(['/sbin/docker-init', '--', 'sh', '-c', 'true']);
  expect(reaper.addTo({ ociVersion: '1.0.0' } as never)).toEqual({ ociVersion: '1.0.0' } as never);
});

test.each([
  [['--', 'sh', '-c', 'exit 7'], 7, ''],
  [['sh', '-c', 'kill -9 $$'], 137, ''],
  [['--', '/absent'], 127, 'docker-init: exec /absent: No such file or directory\n'],
  [['--', '/etc'], 126, 'docker-init: exec /etc: Permission denied\n'],
  [[], 2, 'usage: docker-init [--] PROGRAM [ARGUMENT...]\n'],
] as const)('%j ends with %p', (args, status, words) => {
  reaper.addTo(spec as never);
  const ended = spawnSync(program, [...args], { encoding: 'utf8' });
  expect([ended.status, ended.stderr]).toEqual([status, words]);
});

test('signals go on to the process', async () => {
  reaper.addTo(spec as never);
  const child = spawn(program, ['--', 'sh', '-c', 'trap "exit 9" TERM; echo ready; while :; do sleep 0.01; done'], { stdio: ['ignore', 'pipe', 'inherit'] });
  child.stdout.once('data', () => child.kill('SIGTERM'));
  expect(await new Promise((resolve) => child.once('exit', (code) => resolve(code)))).toBe(9);
});
