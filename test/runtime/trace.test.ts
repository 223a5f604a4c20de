/** `explain` says what a verb would do, `--trace` what it did and how long each step took: the same program. */
import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { useRuntimeWorld } from './lib/index.ts';

const runtime = useRuntimeWorld();

interface Line {
  readonly phase?: string;
  readonly operation?: string;
  readonly side?: string;
  readonly index?: number;
  readonly text?: string;
  readonly ns?: number;
  readonly failed?: boolean;
}

const lines = (file: string) =>
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
const phases = (all: readonly Line[]) => all.flatMap(({ phase }) => (phase === undefined ? [] : [phase]));
const operations = (all: readonly Line[]) => all.filter(({ operation }) => operation !== undefined);

test('run: the phases of the runtime, and a time of every operation up to execve', async () => {
  const bundle = runtime.current.bundle((spec) => {
    spec.process.args = ['true'];
    spec.process.env.push('SECRET=hidden');
  });
  const file = join(bundle.dir, 'trace');
  expect(await runtime.current.run(bundle, ['--trace', file])).toMatchObject({ code: 0, stdout: '', stderr: '' });
  const all = lines(file);
  expect(phases(all)).toEqual(['start', 'configuration', 'compile', 'claim', 'launch', 'save', 'end']);
  for (const { phase, ns } of all) if (phase !== undefined) expect([phase, (ns ?? 0) > 0]).toEqual([phase, true]);
  const program = operations(all);
  const exec = program.findIndex(({ operation }) => operation === 'exec');
  expect(program.slice(0, exec + 1).filter(({ ns }) => !((ns ?? 0) > 0))).toEqual([]);
  expect(program.map(({ index }) => index)).toEqual(program.map((_, index) => index));
  expect(readFileSync(file, 'utf8')).not.toContain('SECRET');
  // The launch as a whole takes at least as long as its parts.
  const launch = all.find(({ phase }) => phase === 'launch')?.ns ?? 0;
  expect(launch).toBeGreaterThan(program.slice(0, exec).reduce((sum, { ns }) => sum + (ns ?? 0), 0));
});

test('what explain prints is what the trace names', async () => {
  const bundle = runtime.current.bundle();
  const file = join(bundle.dir, 'trace');
  await using container = await runtime.current.create(bundle, ['--trace', file]);
  const explained = JSON.parse(await runtime.current.output(['explain', '--json', bundle.dir])) as {
    section: string;
    operation: string;
    side: string;
    does: string;
    arguments: { readonly [name: string]: unknown };
  }[];
  // Up to the start they are the same, but for the FIFO that `create` waits at.
  const ofStart = new Set(['wait_start', 'exec', 'reap', 'detach']);
  const names = (all: readonly { readonly operation?: string; readonly side?: string }[]) => {
    const end = all.findIndex(({ operation }) => ofStart.has(operation ?? ''));
    return all.slice(0, end).flatMap(({ operation, side }) => (side === 'init' ? [operation] : []));
  };
  expect(names(explained)).toEqual(names(operations(lines(file))));
  expect(explained.find(({ operation }) => operation === 'mount_fs')).toMatchObject({
    section: 'root filesystem and mounts',
    side: 'init',
    does: 'mount a proc on /proc',
    arguments: { target: '/proc', fstype: 'proc' },
  });
  const text = await runtime.current.output(['explain', bundle.dir]);
  expect(
    text
      .split('\n')
      .filter((line) => line.startsWith('# '))
      .slice(0, 1),
  ).toEqual(['# limits of the cgroup']);
  expect(text).toContain('# become the program: sleep 1000');
  expect(container.alive).toBe(true);
});

test('create, start, exec and delete are traced too, by the verb’s flag or the global one', async () => {
  const bundle = runtime.current.bundle();
  const file = (verb: string) => join(bundle.dir, verb);
  await using container = await runtime.current.create(bundle, ['--trace', file('create')]);
  const created = operations(lines(file('create')));
  expect(created.find(({ operation }) => operation === 'exec')?.ns).toBe(undefined);
  expect(created.find(({ operation }) => operation === 'pivot_root')?.ns).toBeGreaterThan(0);
  await runtime.current.output(['start', '--trace', file('start'), container.id]);
  expect(operations(lines(file('start'))).map(({ operation }) => operation)).toEqual(['write_file', 'unlink']);
  await runtime.current.output(['--trace', file('exec'), 'exec', container.id, 'true']);
  expect(phases(lines(file('exec')))).toEqual(['start', 'configuration', 'compile', 'launch', 'end']);
  await runtime.current.output(['--trace', file('delete'), 'delete', '--force', container.id]);
  expect(operations(lines(file('delete'))).map(({ operation }) => operation)).toContain('end_process');
  expect(container.alive).toBe(false);
});

test('a failure has its trace, up to the operation that failed', async () => {
  const bundle = runtime.current.bundle((spec) => {
    spec.process.args = ['/none'];
  });
  const file = join(bundle.dir, 'trace');
  expect((await runtime.current.run(bundle, ['--trace', file])).code).toBe(1);
  const all = lines(file);
  expect(all.filter(({ failed }) => failed).map(({ operation }) => operation)).toEqual(['lookup_exec']);
  expect(phases(all).at(-1)).toBe('failed');
});

test('a file that cannot be written is said before anything is made', async () => {
  const { code, stderr } = await runtime.current.run(undefined, ['--trace', '/none/trace']);
  expect(code).toBe(1);
  expect(stderr).toContain('--trace: open /none/trace: no such file or directory');
});
