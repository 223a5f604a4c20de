import { afterEach, beforeEach, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { silentLogger } from '../../base/index.ts';
import { initPath, rejection } from '../../core/fixtures.ts';
import { DirectLauncher } from '../../kernel/index.ts';
import { Activations } from './activations.ts';

let root: string;
let activations: Activations;

const open = () => new Activations({ directory: path.join(root, 'mounts'), launcher: new DirectLauncher({ initPath }), log: silentLogger });
const named = (name: string, namespace = 'n') => ({ namespace, name, labels: {} });
const bind = (source: string, ...options: string[]) => ({ type: 'bind', source: path.join(root, source), target: '', options });
const mountPoints = () =>
  readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line.includes(` ${root}/mounts/`)).length;

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'strake-mounts-'));
  for (const name of ['a', 'b']) {
    mkdirSync(path.join(root, name));
    writeFileSync(path.join(root, name, name), name);
  }
  activations = open();
});

afterEach(async () => {
  for (const namespace of ['n', 'm']) for (const { name } of activations.list(namespace, [])) await activations.deactivate(namespace, name);
  rmSync(root, { recursive: true });
});

test('all mounts are made for who asks for it, and are found by the next daemon', async () => {
  const { active, system } = await activations.activate({ ...named('one'), labels: { a: 'b' } }, [bind('a', 'ro'), bind('b')], true);
  const [first = '', top = ''] = active.map(({ mountPoint }) => mountPoint);
  expect([readdirSync(first), readdirSync(top), system]).toEqual([['a'], ['b'], [{ type: 'bind', source: top, target: '', options: ['rbind'] }]]);
  expect(() => writeFileSync(path.join(first, 'x'), '')).toThrow('EROFS');
  writeFileSync(path.join(top, 'x'), '');
  activations = open();
  expect(activations.info('n', 'one').active.map(({ mountPoint }) => mountPoint)).toEqual([first, top]);
  expect(activations.list('n', ['labels.a==b']).map(({ name }) => name)).toEqual(['one']);
  expect([activations.list('n', ['labels.a==c']), activations.list('m', [])]).toEqual([[], []]);
  expect(activations.setLabels('n', 'one', { c: 'd' }).labels).toEqual({ c: 'd' });
  await activations.deactivate('n', 'one');
  expect([mountPoints(), readdirSync(path.join(root, 'mounts')), readdirSync(path.join(root, 'b'))]).toEqual([0, [], ['b', 'x']]);
  expect(await rejection(activations.deactivate('n', 'one'))).toBe('NotFound: mount "one": not found');
});

test('what comes before a mount that says where they are is made; that one is left to the client', async () => {
  const overlay = { type: 'format/overlay', source: 'overlay', target: '', options: ['lowerdir={{ overlay 1 0 }}', 'ro'] };
  const { active, system } = await activations.activate(named('two'), [bind('a'), bind('b'), overlay], false);
  const [a, b] = active.map(({ mountPoint }) => mountPoint);
  expect(system).toEqual([{ type: 'overlay', source: 'overlay', target: '', options: [`lowerdir=${b}:${a}`, 'ro'] }]);
  const { active: made } = await activations.activate(named('three'), [...active, ...system], true);
  expect(readdirSync(made.at(-1)?.mountPoint ?? '').sort()).toEqual(['a', 'b']);
});

test('what was made under a lease ends with it; the rest stays', async () => {
  await activations.activate({ ...named('leased'), lease: 'l' }, [bind('a')], true);
  await activations.activate(named('free'), [bind('b')], true);
  activations = open();
  const asked: string[] = [];
  const isThere = (answer: boolean) => async (namespace: string, lease: string) => {
    asked.push(`${namespace} ${lease}`);
    return answer;
  };
  await activations.endUnleased(isThere(true));
  expect(activations.list('n', []).map(({ name }) => name)).toEqual(['free', 'leased']);
  await activations.endUnleased(isThere(false));
  expect([activations.list('n', []).map(({ name }) => name), mountPoints(), asked]).toEqual([['free'], 1, ['n l', 'n l']]);
});

test('a name is of one namespace, and is taken once', async () => {
  await activations.activate(named('same'), [bind('a')], true);
  await activations.activate(named('same', 'm'), [bind('a')], true);
  expect(await rejection(activations.activate(named('same'), [bind('a')], true))).toBe('AlreadyExists: mount "same": already exists');
});

test.each([
  ['what the client can mount itself', 'x', [{ type: 'bind', source: '/a', target: '', options: [] }], false, /^Unimplemented: these mounts need nothing/],
  ['nothing', 'x', [], true, /^Unimplemented: /],
  [
    'a type that makes directories',
    'x',
    [{ type: 'mkdir/bind', source: '/a', target: '', options: [] }],
    true,
    /^Unimplemented: mounts of the type mkdir\/bind/,
  ],
  ['no name', '', [{ type: 'tmpfs', source: 'tmpfs', target: '', options: [] }], true, /^InvalidArgument: a mount needs a name/],
  [
    'a source that is not there',
    'x',
    [
      { type: 'tmpfs', source: 'tmpfs', target: '', options: [] },
      { type: 'bind', source: '/none', target: '', options: [] },
    ],
    true,
    /^NotFound: /,
  ],
  ['a filesystem that is none', 'x', [{ type: 'nonefs', source: 'none', target: '', options: [] }], true, /nonefs|no such device|ENODEV/i],
])('%s: an error, and nothing is left', async (_name, name, mounts, temporary, message) => {
  expect(await rejection(activations.activate(named(name), mounts, temporary))).toMatch(message);
  expect([mountPoints(), readdirSync(path.join(root, 'mounts'))]).toEqual([0, []]);
});
