import { expect, test } from 'bun:test';
import { StrakeError } from '../../../base/index.ts';
import { rejection } from '../../fixtures.ts';
import { runShimCommand } from './shim-command.ts';

const run = (script: string, options: Partial<Parameters<typeof runShimCommand>[0]> = {}) =>
  runShimCommand({ path: '/bin/sh', args: ['-c', script], cwd: '/', timeoutMs: 60_000, ...options });

test('input, directory, environment and output', async () => {
  const output = await run('cat; pwd; echo "$A"; echo warning >&2', { stdin: Buffer.from('in\n'), cwd: '/proc', env: { A: 'b' } });
  expect(output.toString()).toBe('in\n/proc\nb\n');
});

test('what does not read its input, and what inherits its output, do not hold it up', async () => {
  expect((await run('echo answer; sleep 1.5 &', { stdin: new Uint8Array(1 << 20) })).toString()).toBe('answer\n');
});

test('a failure is told in its own words', async () => {
  expect(await rejection(run('echo no room >&2; exit 3'))).toBe('Unavailable: no room: exit status 3');
  expect(await rejection(run('kill -9 $$'))).toBe('Unavailable: SIGKILL');
  expect(await rejection(run('', { path: '/no/such/shim' }))).toStartWith('Unavailable: /no/such/shim: ');
});

test('it is killed with all that it started, when it takes too long and when it is given up', async () => {
  expect(await rejection(run('sleep 1000', { timeoutMs: 50 }))).toBe('DeadlineExceeded: /bin/sh sleep 1000 did not end within 50 ms');
  const abort = new AbortController();
  const running = run('sleep 1000 & wait', { signal: abort.signal });
  abort.abort(new StrakeError('Canceled', 'given up'));
  expect(await rejection(running)).toBe('Canceled: given up');
});

test('output has a limit', async () => {
  expect((await run('head -c 5000000 /dev/zero')).length).toBe(4 << 20);
});
