import { expect, test } from 'bun:test';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { StrakeError } from '../../base/index.ts';
import { type ChildOptions, startByBun, startByNode, startChild } from './child.ts';
import { type Command, runCommand } from './run-command.ts';

const shell = (script: string): Command => ({ path: '/bin/sh', args: ['-c', script], cwd: '/', timeoutMs: 60_000, layer: 'test' });

const failure = async (action: Promise<unknown>) =>
  await action.then(() => 'done').catch((error: { code?: string; message: string }) => `${error.code}: ${error.message}`);

/** Whether a process is there and has not ended. */
async function runs(pid: number): Promise<boolean> {
  const { output } = await runCommand(shell(`cut -d' ' -f3 /proc/${pid}/stat 2>/dev/null || echo gone`));
  return !/^(gone|[XZ])/.test(output.toString());
}

test.each([
  ['says nothing', 'exit 0', { failure: undefined, output: '', words: '' }],
  ['says and reads', 'echo out; echo err >&2; cat', { failure: undefined, output: 'out\ninput', words: 'err' }],
  ['fails', 'echo why >&2; exit 3', { failure: 'exit status 3', output: '', words: 'why' }],
  ['is killed', 'kill -9 $$', { failure: 'SIGKILL', output: '', words: '' }],
  ['does not read', 'exec <&-; echo ok', { failure: undefined, output: 'ok\n', words: '' }],
  ['has its own variables', 'echo $ONE$NODE_TEST_VARIABLE', { failure: undefined, output: '1\n', words: '' }],
])('a program that %s', async (_, script, expected) => {
  process.env['NODE_TEST_VARIABLE'] = 'ours';
  try {
    const { failure, output, words } = await runCommand({ ...shell(script), env: { ONE: '1' }, stdin: Buffer.from('input') });
    expect({ failure, output: output.toString(), words }).toEqual(expected);
  } finally {
    delete process.env['NODE_TEST_VARIABLE'];
  }
});

test('of what a program says, its first 4 MiB and its first 64 KiB of words are kept, and all is read', async () => {
  const { failure, output, words } = await runCommand(shell('head -c 9000000 /dev/zero; head -c 900000 /dev/zero | tr "\\0" x >&2'));
  expect([failure, output.length, words.length]).toEqual([undefined, 4 << 20, 64 << 10]);
});

test('large input arrives whole', async () => {
  const { output } = await runCommand({ ...shell('wc -c'), stdin: Buffer.alloc(3_000_000) });
  expect(output.toString().trim()).toBe('3000000');
});

test('a program that leaves another one with its pipes has ended nevertheless', async () => {
  const { failure, output } = await runCommand(shell('sleep 1000 & echo $!'));
  expect(failure).toBeUndefined();
  const pid = Number(output.toString());
  expect(await runs(pid)).toBe(true);
  process.kill(pid, 'SIGKILL');
});

test('a program that is too slow is killed', async () => {
  expect(await failure(runCommand({ ...shell('exec sleep 1000'), timeoutMs: 100 }))).toBe(
    'DeadlineExceeded: /bin/sh exec sleep 1000 did not end within 100 ms',
  );
});

test('a program that is not wanted any more is killed with what it has started', async () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'strake-command-'));
  try {
    const pipe = path.join(directory, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const canceled = new AbortController();
    const ended = failure(runCommand({ ...shell(`exec > ${pipe}; (echo ready; exec sleep 1000) & wait`), signal: canceled.signal }));
    const watch = startChild({ path: '/bin/cat', args: [pipe], cwd: '/', env: {}, stdin: new Uint8Array() });
    const reader = watch.stdout.getReader();
    expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe('ready\n');
    canceled.abort(new StrakeError('Canceled', 'enough'));
    expect(await ended).toBe('Canceled: enough');
    // The last that held the pipe has gone.
    expect((await reader.read()).done).toBe(true);
    expect(await watch.ended).toBeUndefined();
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test.each([
  ['/nowhere/at-all', /^Unavailable: \/nowhere\/at-all: .*ENOENT/],
  ['/etc/passwd', /^Unavailable: \/etc\/passwd: .*EACCES/],
])('%s cannot be started', async (program, message) => {
  expect(await failure(runCommand({ ...shell(''), path: program }))).toMatch(message);
});

test.each([
  ['Bun', startByBun],
  ['Node', startByNode],
])('a child by the calls of %s', async (_, start) => {
  const options = (script: string): ChildOptions => ({ path: '/bin/sh', args: ['-c', script], cwd: '/', env: { ONE: '1' }, stdin: Buffer.from('input') });
  const child = start(options('cat; echo $ONE; pwd; ps -o pgid= -p $$ >&2; exit 4'));
  const [said, group, ended] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.ended]);
  expect([said, Number(group), ended]).toEqual(['input1\n/\n', child.pid, 'exit status 4']);
  const killed = start(options('kill -TERM $$'));
  expect(await killed.ended).toBe('SIGTERM');
});
