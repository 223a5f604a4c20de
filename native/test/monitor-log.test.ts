import { afterAll, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { shell, World } from './monitored.ts';

const world = new World();
afterAll(async () => await world[Symbol.asyncDispose]());
const timePattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,8}[1-9])?Z$/;

/** The log of a process that copies `input` to its stdout. */
async function logOf(name: string, input: Uint8Array, options: { readonly cri?: boolean } = {}): Promise<string> {
  writeFileSync(world.path(`${name}.in`), input);
  const task = await world.launch(['cat', world.path(`${name}.in`)], { log: world.path(name), ...options });
  expect(await task.code()).toBe(0);
  return world.read(name);
}

const full = 'x'.repeat(16384);
test.each<[string, Uint8Array | string, string[]]>([
  ['lines', 'one\ntwo\n', ['"one\\n"', '"two\\n"']],
  ['no newline at the end', 'one\ntwo', ['"one\\n"', '"two"']],
  ['empty lines', '\n\n', ['"\\n"', '"\\n"']],
  ['nothing', '', []],
  ['escapes', 'a"b\\c\r<d>&e\t\x1b\x7f\0\n', ['"a\\"b\\\\c\\r\\u003cd\\u003e\\u0026e\\u0009\\u001b\x7f\\u0000\\n"']],
  ['unicode', 'é€😀\u2028\u2029\u2027\n', ['"é€😀\\u2028\\u2029\u2027\\n"']],
  ['invalid utf-8', Buffer.from('ff41c0aff0808080eda080f4908080e282c3a90a', 'hex'), [`"\\ufffdA${'\\ufffd'.repeat(15)}é\\n"`]],
  ['16383 bytes', `${full.slice(1)}\n`, [`"${full.slice(1)}\\n"`]],
  ['16384 bytes, cut as Docker does', `${full}\nnext\n`, [`"${full}"`, '"\\n"', '"next\\n"']],
  ['16385 bytes', `${full}y\n`, [`"${full}"`, '"y\\n"']],
  ['a character over the cut stays whole', `${full.slice(1)}é€\n`, [`"${full.slice(1)}"`, '"é€\\n"']],
  ['a long line without an end', `${full}${full}zz`, [`"${full}"`, `"${full}"`, '"zz"']],
])('json-file: %s', async (name, input, expected) => {
  const lines = (await logOf(`json ${name}`, Buffer.from(input as string))).split('\n');
  expect(lines.pop()).toBe('');
  expect(lines.map((line) => /^\{"log":(".*"),"stream":"stdout","time":"[^"]*"\}$/.exec(line)?.[1])).toEqual(expected);
  for (const line of lines) expect((JSON.parse(line) as { time: string }).time).toMatch(timePattern);
});

test.each<[string, string, string[]]>([
  ['lines', 'one\n\ntwo\n', ['F one', 'F ', 'F two']],
  ['no newline at the end', 'one\ntwo', ['F one', 'P two']],
  ['16384 bytes', `${full}\n`, [`F ${full}`]],
  ['16385 bytes', `${full}y\n`, [`P ${full}`, 'F y']],
  ['bytes as they are', '"<\\\t\n', ['F "<\\\t']],
])('CRI: %s', async (name, input, expected) => {
  const lines = (await logOf(`cri ${name}`, Buffer.from(input), { cri: true })).split('\n');
  expect(lines.pop()).toBe('');
  expect(lines.map((line) => line.replace(/^\S+ stdout /, ''))).toEqual(expected);
  for (const line of lines) expect(line.split(' ')[0]).toMatch(timePattern);
});

test('stdout and stderr are told apart, also within a line', async () => {
  const task = await world.launch(shell('printf a; printf 1 >&2; printf b; echo 2 >&2; echo c'), { log: world.path('both') });
  expect(await task.code()).toBe(0);
  const lines = world
    .read('both')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { log: string; stream: string });
  expect(lines.filter(({ stream }) => stream === 'stdout').map(({ log }) => log)).toEqual(['abc\n']);
  expect(lines.filter(({ stream }) => stream === 'stderr').map(({ log }) => log)).toEqual(['12\n']);
  expect(statSync(world.path('both')).mode & 0o777).toBe(0o640);
});

test('rotation keeps max-files files of at least max-size, without a gap', async () => {
  mkdirSync(world.path('rotated'));
  const task = await world.launch(['seq', '1', '5000'], { log: world.path('rotated/log'), maxSize: 100_000, maxFiles: 3 });
  expect(await task.code()).toBe(0);
  expect(readdirSync(world.path('rotated')).sort()).toEqual(['log', 'log.1', 'log.2']);
  const numbers = ['log.2', 'log.1', 'log'].flatMap((name) =>
    world
      .read(`rotated/${name}`)
      .trim()
      .split('\n')
      .map((line) => Number((JSON.parse(line) as { log: string }).log)),
  );
  const first = numbers[0] ?? 0;
  expect(numbers).toEqual(Array.from({ length: 5000 - first + 1 }, (_, index) => first + index));
  for (const name of ['log.1', 'log.2']) {
    expect(statSync(world.path(`rotated/${name}`)).size).toBeGreaterThanOrEqual(100_000);
    expect(statSync(world.path(`rotated/${name}`)).size).toBeLessThan(100_200);
  }
});

test('one file starts over when it is full', async () => {
  mkdirSync(world.path('single'));
  const task = await world.launch(['seq', '1', '1000'], { log: world.path('single/log'), maxSize: 20_000, maxFiles: 1 });
  expect(await task.code()).toBe(0);
  expect(readdirSync(world.path('single'))).toEqual(['log']);
  const lines = world.read('single/log').trim().split('\n');
  expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ log: '1000\n' });
  expect(statSync(world.path('single/log')).size).toBeLessThan(20_200);
});

test('a renamed log is written on until it is reopened', async () => {
  const task = await world.launch(shell('read a; echo $a; read b; echo $b'), { log: world.path('renamed'), cri: true, flags: 2 });
  const client = await task.attach({ stdin: true });
  renameSync(world.path('renamed'), world.path('renamed.old'));
  const output = client.output[Symbol.asyncIterator]();
  await client.writeStdin(Buffer.from('first\n'));
  expect((await output.next()).value?.data.toString()).toBe('first\n');
  expect(existsSync(world.path('renamed'))).toBe(false);
  await task.connection.reopenLog();
  await client.writeStdin(Buffer.from('second\n'));
  expect(await task.code()).toBe(0);
  client.close();
  expect(world.read('renamed.old')).toEndWith(' stdout F first\n');
  expect(world.read('renamed')).toMatch(/^\S+ stdout F second\n$/);
});

test('a full disk loses lines, tears none, and stops nobody', async () => {
  mkdirSync(world.path('small'));
  expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', world.path('small')]).status).toBe(0);
  try {
    const task = await world.launch(['seq', '1', '2000'], { log: world.path('small/log') });
    expect(await task.code()).toBe(0);
    const lines = world.read('small/log').split('\n');
    expect(lines.pop()).toBe('');
    expect(lines.length).toBeGreaterThan(150);
    expect(lines.map((line) => (JSON.parse(line) as { log: string }).log)).toEqual(lines.map((_, index) => `${index + 1}\n`));
  } finally {
    spawnSync('umount', [world.path('small')]);
  }
});

test('50,000 one-byte writes are all there', async () => {
  const script = 'i=0; while [ $i -lt 5000 ]; do for byte in 0 1 2 3 4 5 6 7 8 9; do printf $byte; done; echo; i=$((i+1)); done';
  const task = await world.launch(shell(script), { log: world.path('bytes') });
  expect(await task.code()).toBe(0);
  const lines = world.read('bytes').trimEnd().split('\n');
  expect(lines.length).toBe(5000);
  expect(new Set(lines.map((line) => (JSON.parse(line) as { log: string }).log))).toEqual(new Set(['0123456789\n']));
});
