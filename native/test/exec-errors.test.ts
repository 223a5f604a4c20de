import { afterAll, beforeAll, expect, test } from 'bun:test';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import path from 'node:path';
import { container, makeRoot, runProgram } from './harness.ts';

const { ENOENT, EACCES, EISDIR, ENOTDIR, ENOEXEC } = constants.errno;
let root: ReturnType<typeof makeRoot>;

beforeAll(() => {
  root = makeRoot();
  writeFileSync(path.join(root.root, 'bin/plain'), 'text', { mode: 0o644 });
  writeFileSync(path.join(root.root, 'bin/garbage'), 'text', { mode: 0o755 });
  writeFileSync(path.join(root.root, 'bin/orphan'), '#!/no/such/interpreter\n', { mode: 0o755 });
  mkdirSync(path.join(root.root, 'bin/folder'));
  chmodSync(path.join(root.root, 'bin/folder'), 0o755);
});
afterAll(() => root.remove());

// The texts are runc's (Go's os/exec), which clients show and match.
const lookups: [name: string, file: string, env: string[], errno: number, detail: string][] = [
  ['name that is nowhere', 'foo', ['PATH=/usr/bin:/bin'], ENOENT, 'exec: "foo": executable file not found in $PATH'],
  ['name without PATH', 'sh', [], ENOENT, 'exec: "sh": executable file not found in $PATH'],
  ['empty name', '', ['PATH=/bin'], ENOENT, 'exec: "": executable file not found in $PATH'],
  ['name that is not executable', 'plain', ['PATH=/bin'], ENOENT, 'exec: "plain": executable file not found in $PATH'],
  ['name found in .', 'sh', ['PATH=bin'], EACCES, 'exec: "sh": cannot run executable found relative to current directory'],
  ['missing path', '/x', [], ENOENT, 'exec: "/x": stat /x: no such file or directory'],
  ['path below a file', '/bin/plain/x', [], ENOTDIR, 'exec: "/bin/plain/x": stat /bin/plain/x: not a directory'],
  ['path without x', '/bin/plain', [], EACCES, 'exec: "/bin/plain": permission denied'],
  ['directory', '/bin/folder', [], EISDIR, 'exec: "/bin/folder": is a directory'],
];

test.each(lookups)('look-up of a %s', async (_name, file, env, errno, detail) => {
  const ops = container(root.dir, { argv: [file], env });
  const { reports, exit, status } = await runProgram(ops);
  expect(reports).toHaveLength(1);
  expect(reports[0]).toMatchObject({ failedIndex: ops.findIndex(({ op }) => op === 'lookup_exec'), errno, detail });
  expect(exit).toBeUndefined();
  expect(status).toBe(1);
});

test.each([
  ['a file without a format', '/bin/garbage', ENOEXEC, 'exec /bin/garbage: exec format error'],
  ['a script without its interpreter', '/bin/orphan', ENOENT, 'exec /bin/orphan: no such file or directory'],
] as const)('execve of %s', async (_name, file, errno, detail) => {
  const ops = container(root.dir, { argv: [file] });
  const { reports, status } = await runProgram(ops);
  expect(reports).toHaveLength(1);
  expect(reports[0]).toMatchObject({ failedIndex: ops.findIndex(({ op }) => op === 'exec'), errno, detail, phase: 'started' });
  expect(status).toBe(1);
});

test('the status is that of the process', async () => {
  expect((await runProgram(container(root.dir, { argv: ['sh', '-c', 'exit 7'] }))).status).toBe(7);
  expect((await runProgram(container(root.dir, { argv: ['sh', '-c', 'kill -KILL $$'], flags: 0x2_0000 }))).status).toBe(137);
});
