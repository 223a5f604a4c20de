/** The command line itself: several containers at once, its log, and how it is misused. */
import { describe, expect, test } from 'bun:test';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../lib/until.ts';
import type { Container } from './lib/container.ts';
import { useRuntimeWorld } from './lib/index.ts';

const runtime = useRuntimeWorld();

/** An expression that matches exactly these. */
const matching = (...containers: readonly Container[]) => `^(${containers.map(({ id }) => id).join('|')})$`;

test('a damaged state is named, with the place of the damage, and keeps the others from nothing', async () => {
  await using container = await runtime.current.running();
  const damaged = join(runtime.current.root, 'damaged');
  mkdirSync(damaged);
  try {
    writeFileSync(join(damaged, 'state.json'), '{"id":\n  "damaged",}');
    const problem = 'the state of container damaged is not valid JSON: line 2, column 13: ';
    expect((await runtime.current.runtime(['state', 'damaged'])).stderr).toContain(problem);
    const { stdout, stderr } = await runtime.current.runtime(['list', '-q']);
    expect(stdout).toBe(`${container.id}\n`);
    expect(stderr).toContain(problem);
  } finally {
    rmSync(damaged, { recursive: true });
  }
});

describe('--regex', () => {
  test('delete takes every container that matches, and no other', async () => {
    await using first = await runtime.current.running();
    await using second = await runtime.current.create();
    await using other = await runtime.current.running();
    await runtime.current.output(['delete', '--force', '--regex', matching(first, second)]);
    expect(JSON.parse(await runtime.current.output(['list', '--format=json']))).toMatchObject([{ id: other.id, status: 'running' }]);
  });

  test('one that cannot be deleted keeps the others from nothing', async () => {
    await using running = await runtime.current.running();
    await using created = await runtime.current.create();
    const finished = await runtime.current.runtime(['delete', '-r', matching(running, created)]);
    expect(finished.code).toBe(1);
    expect(finished.stderr).toContain(`${running.id}: cannot delete container ${running.id} that is not stopped: running`);
    expect((await runtime.current.output(['list', '-q'])).trim()).toBe(running.id);
  });

  test('kill sends its signal to each', async () => {
    await using first = await runtime.current.running();
    await using second = await runtime.current.running();
    await runtime.current.output(['kill', '--regex', matching(first, second), 'KILL']);
    await Promise.all([first.ended(), second.ended()]);
  });

  test('an expression that is none', async () => {
    const finished = await runtime.current.runtime(['kill', '--regex', '(']);
    expect(finished.code).toBe(1);
    expect(finished.stderr).toContain('invalid regular expression (');
  });
});

describe('SIGKILL', () => {
  test('ends every process of a container that shares the pid namespace', async () => {
    await using container = await runtime.current.running((spec) => {
      spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== 'pid');
    });
    await container.output(['true']);
    const { dir } = container.bundle;
    await runtime.current.detached(['exec', '--detach', '--pid-file', join(dir, 'pid'), container.id, 'sleep', '1000'], join(dir, 'exec.log'));
    const other = Number(readFileSync(join(container.bundle.dir, 'pid'), 'utf8'));
    expect(runtime.current.world.alive(other)).toBe(true);
    await container.kill('KILL');
    await container.ended();
    await until('the other process to end', () => !runtime.current.world.alive(other));
  });

  test('ends a paused container', async () => {
    await using container = await runtime.current.running();
    await runtime.current.output(['pause', container.id]);
    await container.kill('KILL');
    await container.ended();
  });
});

test('a configuration without a process makes a container, and the start of it is an error', async () => {
  await using container = await runtime.current.create((spec) => {
    Reflect.deleteProperty(spec, 'process');
  });
  expect(container.alive).toBe(true);
  const finished = await runtime.current.runtime(['start', container.id]);
  expect(finished.code).toBe(1);
  expect(finished.stderr).toContain('cannot start a container without a process in its configuration');
  await container.ended();
});

test('--config names another file of the bundle', async () => {
  const bundle = runtime.current.bundle();
  renameSync(join(bundle.dir, 'config.json'), join(bundle.dir, 'other.json'));
  const finished = await runtime.current.runtime(['run', '--bundle', bundle.dir, 'no-config']);
  expect(finished.stderr).toContain('JSON specification file config.json not found');
  const created = await runtime.current.detached(['create', '--bundle', bundle.dir, '--config', 'other.json', 'with-config'], join(bundle.dir, 'log'));
  expect(created.code).toBe(0);
  await runtime.current.output(['delete', '--force', 'with-config']);
});

describe('the log', () => {
  test('--debug tells the operations, and no environment', async () => {
    await using container = await runtime.current.running((spec) => {
      spec.process.env = ['PATH=/bin', 'SECRET=hidden'];
    });
    const file = join(container.bundle.dir, 'debug.log');
    const finished = await runtime.current.runtime(['--log', file, '--log-format', 'json', '--debug', 'exec', container.id, 'true']);
    expect(finished).toMatchObject({ code: 0, stdout: '', stderr: '' });
    const lines = readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { level: string; msg: string });
    expect(new Set(lines.map(({ level }) => level))).toEqual(new Set(['debug']));
    expect(lines.map(({ msg }) => msg)).toContain('setns_init: about to exec');
    expect(lines.filter(({ msg }) => msg.startsWith('init exec ')).map(({ msg }) => msg)).toEqual(['init exec argv=[true]']);
    expect(readFileSync(file, 'utf8')).not.toContain('hidden');
  });

  test('is made at once, and has what stderr has', async () => {
    const file = join(runtime.current.bundle().dir, 'log');
    const finished = await runtime.current.runtime(['--log', file, '--log-format=json', 'state', 'nobody']);
    expect(finished).toMatchObject({ code: 1, stdout: '', stderr: 'container does not exist\n' });
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ level: 'error', msg: 'container does not exist' });
    expect(statSync(file).mode & 0o777).toBe(0o644);
  });
});

describe('misuse', () => {
  const cases: readonly (readonly [argv: readonly string[], code: number, stderr: string, stdout: string])[] = [
    [['nothing'], 3, "No help topic for 'nothing'", ''],
    [['state'], 1, 'strake-runc: \\"state\\" requires exactly 1 argument(s)', 'Incorrect Usage.\n\nNAME:\n   strake-runc state - '],
    [['kill', 'a', 'b', 'c'], 1, '\\"kill\\" requires a maximum of 2 argument(s)', 'Incorrect Usage.\n\nNAME:\n   strake-runc kill - '],
    [['list', '--colour'], 1, 'Incorrect Usage: flag provided but not defined: -colour', 'NAME:\n   strake-runc list - '],
    [['list', '--format', 'xml'], 1, 'invalid format option', ''],
    [['--root', '/nonexistent/state', 'list'], 1, 'open /nonexistent/state: no such file or directory', ''],
    [['--root', '/', 'list'], 1, 'Option --root argument should not be set to /', ''],
    [['--log-format', 'xml', 'list'], 1, 'invalid log-format: xml', ''],
    [['--log', '/nonexistent/log', 'list'], 1, 'open /nonexistent/log: no such file or directory', ''],
  ];
  test.each(cases)('%j', async (argv, code, stderr, stdout) => {
    const finished = await runtime.current.runtime(argv);
    expect(finished.code).toBe(code);
    expect(finished.stderr).toContain(stderr);
    expect(finished.stdout.slice(0, stdout.length || undefined)).toBe(stdout);
  });

  test('checkpoint says that criu is missing', async () => {
    await using container = await runtime.current.running();
    const finished = await runtime.current.world.run(['env', 'PATH=/nonexistent', ...runtime.current.argv(['checkpoint', container.id])]);
    expect(finished.code).toBe(1);
    expect(finished.stderr).toContain('criu is not in $PATH: install it');
    expect(container.alive).toBe(true);
    expect(existsSync(join(container.bundle.dir, 'checkpoint'))).toBe(false);
  });
});
