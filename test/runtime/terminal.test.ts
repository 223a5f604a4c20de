/** Terminals in the foreground: what a person at one sees and types, and in which state it is left. */
import { describe, expect, test } from 'bun:test';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Pty } from '../lib/pty.ts';
import { until } from '../lib/until.ts';
import { useRuntimeWorld } from './lib/index.ts';
import type { Patch } from './lib/spec.ts';

const runtime = useRuntimeWorld();
const size = { rows: 33, cols: 77 };

/** The command on a terminal of its own, behind it "code N" and, when that is so, "restored". */
const atTerminal = 'before=$(stty -g); "$@"; echo "code $?"; [ "$before" = "$(stty -g)" ] && echo restored';

function onTerminal(args: readonly string[], script = atTerminal): Pty {
  return runtime.current.world.pty(['sh', '-c', script, 'sh', ...runtime.current.argv(args)], size);
}

function withTerminal(script: string): Patch {
  return ({ process }) => {
    process['terminal'] = true;
    process.args = ['sh', '-c', script];
  };
}

/** The words of `run` for a container whose first process runs that script at a terminal. */
function runOf(script: string, id = `test-${randomBytes(4).toString('hex')}`): string[] {
  return ['run', '--bundle', runtime.current.bundle(withTerminal(script)).dir, id];
}

async function endsWith(pty: Pty, code: number): Promise<void> {
  await pty.shows(new RegExp(`code ${code}\\r\\nrestored`));
  await pty.end();
}

/** The same at both: a container's first process, and one that joins it. */
const both: readonly (readonly [string, (script: string, use: (pty: Pty) => Promise<void>) => Promise<void>])[] = [
  ['run', (script, use) => use(onTerminal(runOf(script)))],
  [
    'exec -t',
    async (script, use) => {
      await using container = await runtime.current.running();
      await use(onTerminal(['exec', '-t', container.id, 'sh', '-c', script]));
    },
  ],
];

describe.each(both)('%s', (_, at) => {
  test('has the size, takes what is typed, follows a new size, and leaves the terminal as it was', async () => {
    await at('stty size; read x; echo "got $x"; read y; stty size; exit 7', async (pty) => {
      await pty.shows(/^33 77\r\n/);
      pty.type('word\r');
      // Once: the caller's terminal is raw, and does not show it too.
      await pty.shows(/^33 77\r\nword\r\ngot word\r\n/);
      pty.resize({ rows: 44, cols: 99 });
      pty.type('\r');
      await pty.shows(/44 99/);
      await endsWith(pty, 7);
    });
  });

  test('a new size is told at once', async () => {
    await at('trap "stty size; exit 3" WINCH; echo ready; while :; do sleep 0.05; done', async (pty) => {
      await pty.shows(/ready/);
      pty.resize({ rows: 44, cols: 99 });
      await pty.shows(/44 99/);
      await endsWith(pty, 3);
    });
  });

  test('Ctrl-C goes to the process', async () => {
    await at('trap "echo caught; exit 5" INT; echo ready; while :; do sleep 0.05; done', async (pty) => {
      await pty.shows(/ready/);
      pty.type('\x03');
      await pty.shows(/caught/);
      await endsWith(pty, 5);
    });
  });

  test('Ctrl-D is the end of the input', async () => {
    await at('echo ready; cat; exit 4', async (pty) => {
      await pty.shows(/ready/);
      pty.type('\x04');
      await endsWith(pty, 4);
    });
  });

  test('no byte is lost of a process that ends at once, and each line begins at its start', async () => {
    await at('seq 1 20000; exit 6', async (pty) => {
      await endsWith(pty, 6);
      const lines = Array.from({ length: 20_000 }, (__, index) => `${index + 1}\r\n`).join('');
      expect(pty.screen.startsWith(`${lines}code 6\r\n`)).toBe(true);
    });
  });

  test('a program that does not exist leaves the terminal as it was', async () => {
    await at('exec /no/such/program', async (pty) => await endsWith(pty, 127));
  });

  test('the reader of the output goes away', async () => {
    const script = `before=$(stty -g); { "$@"; echo "code $?" >&2; } | head -n 1; [ "$before" = "$(stty -g)" ] && echo restored`;
    const args = (id: string) => ['exec', '-t', id, 'sh', '-c', 'seq 1 200000; exit 9'];
    await using container = await runtime.current.running();
    const pty = onTerminal(args(container.id), script);
    await pty.shows(/^1\r\n/);
    await endsWith(pty, 9);
  });
});

test('a container that is killed leaves the terminal as it was', async () => {
  const id = `test-${randomBytes(4).toString('hex')}`;
  const pty = onTerminal(runOf('echo ready; sleep 1000', id));
  await pty.shows(/ready/);
  await runtime.current.output(['kill', id, 'KILL']);
  await endsWith(pty, 137);
});

test('a process that joined a container that is killed leaves the terminal as it was', async () => {
  await using container = await runtime.current.running();
  const pty = onTerminal(['exec', '-t', container.id, 'sh', '-c', 'echo ready; sleep 1000']);
  await pty.shows(/ready/);
  await container.kill();
  await endsWith(pty, 137);
});

test('Ctrl-C is heard while nobody takes the output', async () => {
  const id = `test-${randomBytes(4).toString('hex')}`;
  const dir = join(runtime.current.world.work, id);
  mkdirSync(dir);
  // What reads the pipe begins once the container has ended by what was typed.
  const script = `cd ${dir}; mkfifo pipe begin; (read x <begin; exec cat >/dev/null) <pipe & ${atTerminal.replace('"$@"', '"$@" >pipe')}`;
  // More than a pipe holds.
  const bundle = runtime.current.bundle(withTerminal('trap "exit 8" INT; read x; head -c 262144 /dev/zero; touch /full; yes & wait'));
  const pty = onTerminal(['run', '--bundle', bundle.dir, id], script);
  // What the container reads came from a raw terminal: Ctrl-C is a character there.
  pty.type('\r');
  await until('the output to begin', () => existsSync(join(bundle.rootfs, 'full')));
  pty.type('\x03');
  await until('the container to end', async () => (await runtime.current.runtime(['ps', id])).code !== 0);
  await runtime.current.world.run(['sh', '-c', 'echo >"$0"', join(dir, 'begin')]);
  await endsWith(pty, 8);
});

describe('without a terminal at', () => {
  const numbers = Array.from({ length: 1000 }, (_, index) => `${index + 1}\n`).join('');

  test('stdin: the end of the input is one', async () => {
    const { code, stdout } = await runtime.current.runtime(runOf('stty -echo; cat; exit 4'), { stdin: 'word\n' });
    expect([code, stdout.replace(/^word\n(?=word)/, '')]).toEqual([4, 'word\n']);
  });

  test('both ends: five megabytes come back', async () => {
    const data = Array.from({ length: 50_000 }, (_, index) => `${String(index).padStart(7)} ${'x'.repeat(91)}\n`).join('');
    const running = runtime.current.spawn(runOf(`stty raw -echo; echo ready; head -c ${data.length} | cat; exit 2`), { keepStdin: true });
    await running.output(/^ready\n/);
    running.write(data);
    running.endInput();
    const { code, stdout } = await running.finished;
    expect(code).toBe(2);
    expect(stdout === `ready\n${data}`).toBe(true);
  });

  test.each(['>&-', '>/dev/full', '<&- >&- 2>&-', '<&-'])('some, %s: the process ends as it would', async (redirections) => {
    const { code, stdout } = await runtime.current.world.run(['sh', '-c', `"$@" ${redirections}`, 'sh', ...runtime.current.argv(runOf('seq 1 1000; exit 6'))]);
    expect([code, stdout]).toEqual([6, redirections.includes('>') ? '' : numbers]);
  });
});

test('a state directory whose path no socket address holds', async () => {
  const long = join(runtime.current.root, 'd'.repeat(100), 'e'.repeat(100));
  mkdirSync(long, { recursive: true });
  try {
    const { code, stdout } = await runtime.current.runtime(['--root', long, ...runOf('echo word; exit 3')]);
    expect([code, stdout]).toEqual([3, 'word\n']);
  } finally {
    rmSync(join(runtime.current.root, 'd'.repeat(100)), { recursive: true });
  }
});
