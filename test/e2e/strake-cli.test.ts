/** Our own command line as a person uses it: on terminals, in pipes, with signals; what it prints is held against the docker CLI on the same engine. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratchHost, startScratchRegistry } from '../fixtures/registry.ts';
import { Engine, strakeBinary } from '../lib/engine.ts';
import { idleSnapshot, leaksSince, type Snapshot } from '../lib/leaks.ts';
import { normalise } from '../lib/normalise.ts';
import { warm } from '../lib/play.ts';
import type { Finished, Running, RunOptions } from '../lib/process.ts';
import type { Pty, PtySize } from '../lib/pty.ts';
import { until } from '../lib/until.ts';
import { busybox, image } from './steps/step.ts';

const setupMs = 600_000;
const stepMs = 120_000;

/** What moves the cursor. */
const escapes = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*[A-Za-z]`, 'g');

let engine: Engine;
let before: Snapshot;

const strake = async (argv: readonly string[], options?: RunOptions): Promise<Finished> => await engine.own(argv, options);
/** The keys of a terminal signal its own session alone, not what leads into the world. */
const ownTerminal = ['setsid', '--ctty', '--wait'];
const pty = (argv: readonly string[], size?: PtySize): Pty => engine.world.pty([...ownTerminal, ...engine.strake, ...argv], size);
const spawn = (argv: readonly string[]): Running => engine.world.spawn([...engine.strake, ...argv]);

const ok = async (...argv: readonly string[]): Promise<string> => (await engine.ownOutput(argv)).replace(/\n$/, '');

/** What a person sees, without ids, times and the command's own name. */
function seen({ code, stdout, stderr }: Finished) {
  const clean = (text: string): string => normalise(text, engine.work).replace(/\bdocker(?=: |\b.*--help')/g, 'strake');
  return { code, stdout: clean(stdout), stderr: clean(stderr) };
}

async function expectSame(argv: readonly string[], options?: RunOptions): Promise<void> {
  const ours = seen(await strake(argv, options));
  expect(ours).toEqual(seen(await engine.docker(argv, options)));
}

beforeAll(async () => {
  engine = await Engine.start('strake');
  await warm(engine, busybox);
  before = await idleSnapshot(engine.peers);
}, setupMs);

afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
}, setupMs);

describe('run', () => {
  test(
    'both streams, the exit code, and nothing after --rm',
    async () => {
      const finished = await strake(['run', '--rm', '--name', 'plain', busybox, 'sh', '-c', 'echo out; echo err >&2; exit 42']);
      expect(finished).toMatchObject({ code: 42, stdout: 'out\n', stderr: 'err\n' });
      expect(await ok('ps', '-aq', '--filter', 'name=plain')).toBe('');
    },
    stepMs,
  );

  test(
    '-i takes a pipe to its end',
    async () => {
      const bytes = randomBytes(4 << 20);
      const finished = await strake(['run', '--rm', '-i', busybox, 'sha256sum'], { stdin: bytes });
      expect(finished).toMatchObject({ code: 0, stdout: `${createHash('sha256').update(bytes).digest('hex')}  -\n`, stderr: '' });
      const cut = await strake(['run', '--rm', '-i', busybox, 'head', '-c', '5'], { stdin: bytes });
      expect(cut.code).toBe(0);
      expect(cut.stdout.length).toBeGreaterThan(0);
    },
    stepMs,
  );

  test(
    '-it: the size of the terminal, its changes, and the exit code',
    async () => {
      const shell = pty(['run', '-it', '--rm', '--name', 'shell', busybox], { cols: 91, rows: 33 });
      await shell.shows(/# /);
      shell.type('tty; stty size; echo TERM=$TERM\n');
      await shell.shows(/\/dev\/pts\/0\r\n33 91\r\nTERM=xterm\r\n/);
      shell.resize({ cols: 120, rows: 44 });
      shell.type('while [ "$(stty size)" != "44 120" ]; do :; done; echo resized\n');
      await shell.shows(/\r\nresized\r\n/);
      shell.type('echo asleep; sleep 1000\n');
      await shell.shows(/\r\nasleep\r\n/); // before that the shell edits its line, and takes the key for itself
      shell.type('\u0003');
      await shell.shows(/\^C.*\/ # /s); // what is typed before its prompt the shell throws away
      shell.type('exit 7\n');
      expect(await shell.end()).toBe(7);
    },
    stepMs,
  );

  test(
    '-it: ctrl-p ctrl-q leaves it running; attach comes back',
    async () => {
      const first = pty(['run', '-it', '--name', 'left', busybox, 'cat']);
      first.type('one\n');
      await first.shows(/one\r\none\r\n/);
      first.type('\u0010\u0011');
      expect(await first.end()).toBe(0);
      expect(await ok('inspect', '--format', '{{.State.Running}}', 'left')).toBe('true');
      const again = pty(['attach', 'left']);
      again.type('two\n');
      await again.shows(/two\r\ntwo\r\n/);
      again.type('\u0004');
      expect(await again.end()).toBe(0);
      await ok('rm', 'left');
    },
    stepMs,
  );

  test(
    '-t -i without a terminal is refused as docker refuses it',
    async () => await expectSame(['run', '--rm', '-it', busybox, 'true'], { stdin: 'x' }),
    stepMs,
  );

  test(
    'without a terminal, an interrupt is the process’s own',
    async () => {
      const watcher = ['run', '--rm', '--name', 'interrupted', busybox, 'sh', '-c', "trap 'echo heard; exit 9' INT; echo up; while :; do sleep 0.05; done"];
      const running = spawn(watcher);
      await running.output(/up\n/);
      process.kill(running.innerPid, 'SIGINT');
      expect(await running.finished).toMatchObject({ code: 9, stdout: 'up\nheard\n' });
      // On a terminal that is not the container's, the key is the command's signal.
      const typed = pty(watcher);
      await typed.shows(/up\r\n/);
      typed.type('\u0003');
      expect(await typed.end()).toBe(9);
    },
    stepMs,
  );
});

describe('a container in the background', () => {
  test(
    'run -d, logs -f to the end, wait',
    async () => {
      const id = await ok(
        'run',
        '-d',
        '--name',
        'talker',
        busybox,
        'sh',
        '-c',
        'echo one; echo err >&2; while [ ! -e /go ]; do usleep 10000; done; echo two; exit 4',
      );
      expect(id).toMatch(/^[0-9a-f]{64}$/);
      const follow = spawn(['logs', '-f', 'talker']);
      await follow.output(/one\n/);
      const waiting = spawn(['wait', 'talker']);
      await strake(['exec', 'talker', 'touch', '/go']);
      expect(await follow.finished).toMatchObject({ code: 0, stdout: 'one\ntwo\n', stderr: 'err\n' });
      expect(await waiting.finished).toMatchObject({ code: 0, stdout: '4\n' });
      for (const flags of [[], ['--tail', '1'], ['--timestamps'], ['--since', '1h'], ['--until', '2000-01-01T00:00:00Z']])
        await expectSame(['logs', ...flags, 'talker']);
      await ok('rm', 'talker');
    },
    stepMs,
  );

  test(
    'ctrl-C ends logs -f, not the container',
    async () => {
      await ok('run', '-d', '--name', 'followed', busybox, 'sh', '-c', 'echo up; exec sleep 1000');
      const codes: number[] = [];
      for (const follow of [pty(['logs', '-f', 'followed']), engine.peers.pty([...ownTerminal, ...engine.cli(['logs', '-f', 'followed'])])]) {
        await follow.shows(/up\r\n/);
        follow.type('\u0003');
        codes.push(await follow.end());
      }
      expect(codes[0]).toBe(130);
      expect(codes[1]).toBe(codes[0] as number);
      expect(await ok('inspect', '--format', '{{.State.Running}}', 'followed')).toBe('true');
      await ok('rm', '-f', 'followed');
    },
    stepMs,
  );

  test(
    'ctrl-C is passed on to what runs, and at the third the command gives up',
    async () => {
      const script = "n=0; trap 'n=$((n+1)); echo heard $n' INT; echo up; while :; do sleep 0.05; done";
      for (const start of [pty, (command: readonly string[]) => engine.peers.pty([...ownTerminal, ...engine.cli(command)])]) {
        const run = start(['run', '--rm', '--name', 'deaf', busybox, 'sh', '-c', script]);
        await run.shows(/up\r\n/);
        for (const heard of [/heard 1\r\n/, /heard 2\r\n/, /\r\ngot 3 SIGTERM\/SIGINTs, forcefully exiting\r\n/]) {
          run.type('\u0003');
          await run.shows(heard);
        }
        expect(await run.end()).toBe(1);
        await ok('rm', '-f', 'deaf');
      }
    },
    stepMs,
  );

  test(
    'exec: streams, input, a terminal of its own, detached',
    async () => {
      await ok('run', '-d', '--name', 'host', '-e', 'OUTER=1', busybox, 'sleep', '1000');
      await expectSame(['exec', 'host', 'sh', '-c', 'echo out $OUTER; echo err >&2; exit 3']);
      await expectSame(['exec', '-u', 'www-data', '-w', '/var', '-e', 'INNER=2', 'host', 'sh', '-c', 'id; pwd; echo $INNER']);
      await expectSame(['exec', '-i', 'host', 'wc', '-c'], { stdin: 'x'.repeat(100_000) });
      await expectSame(['exec', 'host', 'absent']);
      await expectSame(['exec', 'host', '/etc/passwd']);
      await expectSame(['exec', 'absent', 'true']);
      await ok('exec', '-d', 'host', 'touch', '/mark');
      await ok('exec', 'host', 'sh', '-c', 'while [ ! -e /mark ]; do :; done');
      const shell = pty(['exec', '-it', 'host', 'sh'], { cols: 70, rows: 20 });
      await shell.shows(/# /);
      shell.type('stty size; tty\n');
      await shell.shows(/20 70\r\n\/dev\/pts\/\d\r\n/);
      shell.resize({ cols: 81, rows: 25 });
      shell.type('while [ "$(stty size)" != "25 81" ]; do :; done; echo resized\n');
      await shell.shows(/\r\nresized\r\n/);
      shell.type('exit 9\n');
      expect(await shell.end()).toBe(9);
      await ok('rm', '-f', 'host');
    },
    stepMs,
  );

  test.each([
    ['heard', "trap 'exit 3' TERM; while :; do sleep 0.05; done", ['stop'], 3],
    ['deaf', "trap '' TERM; while :; do sleep 0.05; done", ['stop', '-t', '1'], 137],
    ['killed', 'while :; do sleep 0.05; done', ['kill'], 137],
    ['hung-up', "trap 'exit 5' HUP; while :; do sleep 0.05; done", ['kill', '-s', 'HUP'], 5],
  ] as const)(
    '%s: what is left of it is its exit code',
    async (name, script, verb, code) => {
      await ok('run', '-d', '--name', name, busybox, 'sh', '-c', `${script.replace(';', '; touch /up;')}`);
      await until('the trap is set', async () => (await strake(['exec', name, 'test', '-e', '/up'])).code === 0 || name === 'killed');
      expect(await ok(...verb, name)).toBe(name);
      expect(await ok('wait', name)).toBe(String(code));
      await ok('rm', name);
    },
    stepMs,
  );
});

describe('what goes wrong', () => {
  const failures: readonly (readonly [number, readonly string[]])[] = [
    [127, ['run', '--rm', busybox, 'absent']],
    [127, ['run', '--rm', busybox, '/absent']],
    [126, ['run', '--rm', busybox, '/etc/passwd']],
    [126, ['run', '--rm', busybox, '/etc']],
    [125, ['run', '--rm', image('absent')]],
    [125, ['run', '--rm', '--memory', '1', busybox]],
    [125, ['run', '--rm', '--network', 'absent', busybox, 'true']],
    [125, ['run', '--rm', '--cap-add', 'NONSENSE', busybox, 'true']],
    [125, ['run', '--rm', '--name', '../x', busybox, 'true']],
    [1, ['pull', image('absent')]],
    [1, ['rm', 'absent']],
    [1, ['stop', 'absent']],
    [1, ['start', 'absent']],
    [1, ['inspect', 'absent']],
    [1, ['logs', 'absent']],
    [1, ['rmi', 'absent']],
    [1, ['tag', 'absent', 'other']],
    [1, ['wait', 'absent']],
    [1, ['kill', 'absent']],
    [1, ['top', 'absent']],
  ];
  test.each(failures)(
    'exit code %i, and docker’s words: %j',
    async (code, argv) => {
      const ours = await strake(argv);
      expect(ours.code).toBe(code);
      expect(seen(ours)).toEqual(seen(await engine.docker(argv)));
    },
    stepMs,
  );

  test.each([
    [['image']],
    [['container']],
    [['system', '--help']],
    [['help', 'image']],
    [['help', 'nonsense']],
    [['help', 'image', 'nonsense']],
    [['nonsense']],
    [['image', 'nonsense']],
    [['image', '--nonsense']],
  ])(
    'help and what is no command, where docker has it: %j',
    async (argv) => {
      const facts = ({ code, stdout, stderr }: Finished) => ({ code, stdout: firstLine(stdout), stderr: firstLine(stderr) });
      const firstLine = (text: string) => (text.split('\n')[0] ?? '').replace(/^(docker|strake): /, '').replaceAll('docker', 'strake');
      expect(facts(await strake(argv))).toEqual(facts(await engine.docker(argv)));
    },
    stepMs,
  );

  test(
    'a flag, a command or an engine that is not there',
    async () => {
      const flag = await strake(['run', '--nonsense', busybox]);
      expect([flag.code, flag.stderr.split('\n')[0]]).toEqual([125, 'strake: unknown flag: --nonsense']);
      const command = await strake(['nonsense']);
      expect([command.code !== 0, command.stderr.split('\n')[0]]).toEqual([true, 'strake: unknown command: strake nonsense']);
      const elsewhere = await engine.world.run([strakeBinary, '-H', `unix://${engine.work}/nobody.sock`, 'run', 'busybox']);
      expect(elsewhere.code).toBe(125);
      expect(elsewhere.stderr).toContain(`${engine.work}/nobody.sock`);
    },
    stepMs,
  );
});

describe('listings are docker’s', () => {
  const tables: readonly (readonly string[])[] = [
    ['ps'],
    ['ps', '-a'],
    ['ps', '-aq', '--no-trunc'],
    ['ps', '-a', '--no-trunc'],
    ['ps', '-n', '1'],
    ['ps', '-l', '--format', '{{.Names}} {{.Image}} {{.Command}} {{.State}} {{.Status}} {{.Labels}}'],
    ['ps', '-a', '--filter', 'status=exited', '--format', 'table {{.Names}}\t{{.Status}}\t{{.Label "k"}}'],
    ['ps', '-a', '--filter', 'label=k=v', '--format', '{{.Names}} {{.Networks}} {{.Mounts}} {{.Ports}} {{.LocalVolumes}}'],
    ['ps', '-a', '--format', '{{json .Names}}'],
    ['images'],
    ['images', '-q', '--no-trunc'],
    ['images', '--digests', busybox],
    ['images', '--format', '{{.Repository}}:{{.Tag}} {{.ID}} {{.Size}}', busybox],
    ['images', '--filter', 'reference=nobody'],
    ['history', busybox],
    ['history', '--no-trunc', '--format', '{{.CreatedBy}} {{.Size}}', busybox],
    ['inspect', 'listed'],
    ['inspect', '--format', '{{.Name}} {{.State.Status}} {{json .Config.Cmd}} {{range .Mounts}}{{.Destination}}{{end}}', 'listed', 'ended'],
    ['inspect', '--format', '{{if .State.Running}}up{{else}}down{{end}} {{len .Config.Env}} {{index .Config.Labels "k"}}', 'listed'],
    ['inspect', '--type', 'image', busybox],
    ['image', 'inspect', busybox],
    ['container', 'ls', '--format', '{{.Names}}'],
    ['ps', '--format', '{{.Ports}}'],
    ['port', 'listed'],
    ['port', 'listed', '8080'],
    ['port', 'listed', '81/udp'],
    ['port', 'listed', '81'],
    ['container', 'port', 'listed', '90/tcp'],
    ['port', 'nobody'],
    ['top', 'listed'],
    ['top', 'listed', '-o', 'pid,comm'],
    ['version', '--format', '{{.Server.APIVersion}} {{.Server.Os}}'],
    ['info', '--format', '{{.Driver}} {{.CgroupVersion}} {{.NCPU}}'],
    ['ps', '--filter', 'nonsense=1'],
  ];

  test(
    'made for listing',
    async () => {
      const ports = ['-p', '127.0.0.1:8080-8081:8080-8081', '-p', '8090:80', '-p', '127.0.0.1::81/udp', '--expose', '90-91', '-P'];
      await ok('run', '-d', '--name', 'listed', ...ports, '--label', 'k=v', '-v', '/anon', '--memory', '64m', '--hostname', 'box', busybox, 'sleep', '1000');
      expect((await strake(['run', '--name', 'ended', '--label', 'k=v', busybox, 'sh', '-c', 'exit 3'])).code).toBe(3);
    },
    stepMs,
  );
  test.each(tables.map((argv) => [argv.join(' '), argv] as const))('%s', async (_name, argv) => await expectSame(argv), stepMs);
  test(
    'stats once, as JSON and as a table',
    async () => {
      const [ours, theirs] = await Promise.all([
        strake(['stats', '--no-stream', '--format', 'json', 'listed']),
        engine.docker(['stats', '--no-stream', '--format', 'json', 'listed']),
      ]);
      const keys = (text: string): string[] => Object.keys(JSON.parse(text) as object).sort();
      expect(keys(ours.stdout)).toEqual(keys(theirs.stdout));
      const heading = (finished: Finished): string => (finished.stdout.replaceAll(escapes, '').split('\n')[0] ?? '').replace(/ {2,}/g, '  ').trim();
      expect(heading(await strake(['stats', '--no-stream', 'listed']))).toBe(heading(await engine.docker(['stats', '--no-stream', 'listed'])));
    },
    stepMs,
  );
  test(
    'events of the past',
    async () => {
      const now = (Date.now() / 1000).toFixed(3);
      const filter = ['events', '--since', '1h', '--until', now, '--filter', 'type=container', '--filter', 'container=ended'];
      await expectSame(filter);
      await expectSame([...filter, '--format', '{{.Action}} {{.Actor.Attributes.name}}']);
      await ok('rm', '-f', '-v', 'listed', 'ended');
    },
    stepMs,
  );
});

describe('pull', () => {
  /** Lines of progress come in the order of the network. */
  const steady = (text: string): string[] =>
    text
      .split('\n')
      .filter((line) => !/Verifying Checksum|Download complete|Pulling fs layer|Waiting|Already exists|Downloading|Extracting/.test(line))
      .sort();

  test(
    'in a pipe: docker’s lines',
    async () => {
      const ours = await strake(['pull', image('layers')]);
      await ok('rmi', image('layers'));
      const theirs = await engine.docker(['pull', image('layers')]);
      expect([ours.code, steady(ours.stdout)]).toEqual([0, steady(theirs.stdout)]);
      await expectSame(['pull', image('layers')]);
      await expectSame(['pull', '--quiet', image('layers')]);
      const [untagged] = (await ok('rmi', image('layers'))).split('\n');
      expect(untagged).toBe(`Untagged: ${image('layers')}:latest`);
    },
    stepMs,
  );

  test(
    'on a terminal: a bar for each layer, ctrl-C in the middle, and on from there',
    async () => {
      const stopped = pty(['pull', image('debian')], { cols: 100, rows: 30 });
      await stopped.shows(/[0-9a-f]{12}: (Downloading|Extracting) \[=*>? *\]\s+[\d.]+[kM]?B\/[\d.]+MB/);
      stopped.type('\u0003');
      expect(await stopped.end()).toBe(130);
      expect(await ok('images', '-q', image('debian'))).toBe('');
      const whole = pty(['pull', image('debian')], { cols: 100, rows: 30 });
      expect(await whole.end(90_000)).toBe(0);
      expect(whole.screen).toMatch(/: Pull complete/);
      expect(whole.screen).toContain(`Status: Downloaded newer image for ${image('debian')}:latest\r\n${image('debian')}:latest\r\n`);
      expect(await ok('run', '--rm', image('debian'), 'perl', '-e', 'print 6*7')).toBe('42');
      await ok('rmi', image('debian'));
    },
    stepMs,
  );
});

describe('images as archives', () => {
  test(
    'save and load, through files and pipes, and with the docker CLI',
    async () => {
      const [ours, theirs] = ['ours.tar', 'theirs.tar'].map((name) => join(engine.work, name)) as [string, string];
      await ok('pull', '--quiet', image('layers'));
      const id = await ok('inspect', '--format', '{{.Id}}', image('layers'));
      await ok('save', '--output', ours, image('layers'), busybox);
      expect((await engine.docker(['save', '-o', theirs, busybox, image('layers')])).code).toBe(0);
      expect(sortedEntries(ours)).toEqual(sortedEntries(theirs));
      await ok('rmi', image('layers'));
      await expectSame(['load', '-i', theirs]);
      await ok('rmi', image('layers'));
      const loaded = await strake(['load'], { stdin: readFileSync(ours) });
      expect(loaded.stdout.split('\n').toSorted()).toEqual(['', `Loaded image: ${busybox}:latest`, `Loaded image: ${image('layers')}:latest`]);
      expect(await ok('inspect', '--format', '{{.Id}}', image('layers'))).toBe(id);
      await ok('rmi', image('layers'));
      for (const argv of [
        ['load', '-i', '/absent'],
        ['save', '-o', join(engine.work, 'x.tar'), 'absent'],
        ['save', '-o', engine.work, busybox],
        ['load', 'x'],
      ])
        expect((await strake(argv)).code).not.toBe(0);
      await expectSame(['load', '-i', '/absent.tar']);
      await expectSame(['save', '-o', join(engine.work, 'x.tar'), 'absent']);
    },
    stepMs,
  );

  test(
    'save of a terminal is refused; load shows the layers on one',
    async () => {
      const terminal = pty(['save', busybox]);
      await terminal.shows(/cowardly refusing to save to a terminal. Use the -o flag or redirect/);
      expect(await terminal.end()).toBe(1);
      const file = join(engine.work, 'terminal.tar');
      await ok('save', '-o', file, busybox);
      await ok('rmi', '--force', busybox);
      const load = pty(['load', '-i', file], { cols: 120, rows: 30 });
      await load.shows(/[0-9a-f]{12}: Loading layer \[=+>? *\] +[\d.]+MB\/[\d.]+MB/);
      await load.shows(/Loaded image: /);
      expect(await load.end()).toBe(0);
    },
    stepMs,
  );

  test(
    'import, commit, image prune: as docker says it',
    async () => {
      const root = join(engine.work, 'root.tar');
      await ok('create', '--name', 'commits', busybox, 'true');
      expect(await ok('commit', '-m', 'why', '-c', 'ENV FROM=commit', '-c', 'CMD ["env"]', 'commits', 'made:commit')).toMatch(/^sha256:[0-9a-f]{64}$/);
      expect(await ok('run', '--rm', 'made:commit')).toContain('FROM=commit');
      await ok('rm', 'commits');
      await engine.world.output([
        'sh',
        '-c',
        `mkdir -p ${engine.work}/root/bin && echo x >${engine.work}/root/bin/x && tar cf ${root} -C ${engine.work}/root .`,
      ]);
      const imported = await ok('import', '-c', 'CMD ["/bin/x"]', '-m', 'by hand', root, 'made:import');
      expect(await ok('inspect', '--format', '{{.Id}} {{json .Config.Cmd}} {{.Comment}}', 'made:import')).toBe(`${imported} ["/bin/x"] by hand`);
      expect((await strake(['import', '-', 'made:pipe'], { stdin: readFileSync(root) })).code).toBe(0);
      expect(await ok('inspect', '--format', '{{json .RootFS.Layers}}', 'made:pipe')).toBe(
        await ok('inspect', '--format', '{{json .RootFS.Layers}}', 'made:import'),
      );
      await expectSame(['commit', 'absent', 'made:x']);
      await expectSame(['import', '/absent.tar']);
      await ok('tag', busybox, 'made:import');
      const [ours, theirs] = [await strake(['image', 'prune'], { stdin: 'y\n' }), await engine.docker(['image', 'prune', '--force'])];
      expect(ours.stdout).toMatch(
        /^WARNING! This will remove all dangling images\.\nAre you sure you want to continue\? \[y\/N\] Deleted Images:\ndeleted: sha256:/,
      );
      expect(theirs.stdout).toBe('Total reclaimed space: 0B\n');
      expect(await ok('image', 'prune', '--force')).toBe('Total reclaimed space: 0B');
      expect((await strake(['image', 'prune', '--all'], { stdin: 'n\n' })).stdout).toBe(
        'WARNING! This will remove all images without at least one container associated to them.\nAre you sure you want to continue? [y/N] ',
      );
      await ok('rmi', 'made:commit', 'made:import', 'made:pipe');
    },
    stepMs,
  );
});

describe('push and search', () => {
  test(
    'as docker says it; on a terminal a line for each layer',
    async () => {
      const registry = await startScratchRegistry(engine.peers);
      try {
        const name = `${scratchHost}/pushed/app`;
        await ok('tag', busybox, name);
        const shown = (text: string) =>
          text
            .replace(/size: \d+/, 'size: N')
            .split('\n')
            .toSorted();
        const first = pty(['push', name], { cols: 120, rows: 30 });
        await first.shows(/The push refers to repository \[127\.0\.0\.1:5001\/pushed\/app\]/);
        await first.shows(/[0-9a-f]{12}: Pushed/);
        expect(await first.end()).toBe(0);
        expect(shown(await ok('push', name))).toEqual(shown((await engine.docker(['push', name])).stdout.trimEnd()));
        await expectSame(['push', '--quiet', name]);
        await expectSame(['push', `${name}:absent`]);
        await expectSame(['push', '--all-tags', `${name}:1`]);
        await ok('tag', busybox, `${name}:2`);
        expect((await ok('push', '--all-tags', name)).match(/digest: sha256:[0-9a-f]{64} size: \d+/g)).toHaveLength(2);
        await expectSame(['search', `${scratchHost}/app`]);
        expect(await ok('search', '--format', '{{.Name}}', `${scratchHost}/app`)).toBe(name);
        await expectSame(['search', '--limit', '101', `${scratchHost}/app`]);
        await ok('rmi', `${name}:2`, name);
      } finally {
        await registry.stop();
      }
    },
    stepMs,
  );
});

describe('image mount', () => {
  test(
    'the files of an image, read-only, until they are taken away; a restart and a removal of the image change nothing',
    async () => {
      expect(await leaksSince(before, engine.peers)).toEqual([]);
      await ok('pull', '--quiet', image('layers'));
      const id = await ok('inspect', '--format', '{{.Id}}', image('layers'));
      const path = await ok('image', 'mount', image('layers'));
      expect(await ok('image', 'mount', id)).toBe(path);
      const seen = await engine.world.output([
        'sh',
        '-c',
        `cd ${path}/cake && cat kept replaced opaque/* twin-b && stat -c '%a %u:%g' setuid owned && ls -d removed tree 2>/dev/null | wc -l`,
      ]);
      expect(seen).toBe('kept\nnew\nabove\ntwins\n4755 0:0\n640 33:50\n0\n');
      expect((await engine.world.run(['touch', `${path}/x`])).stderr).toContain('Read-only file system');
      const mounts = await engine.world.output(['grep', ` ${path} `, '/proc/self/mountinfo']);
      expect(mounts).toMatch(/ ro,nosuid,nodev[, ]/);
      expect((await engine.world.run(['setpriv', '--reuid', '1000', '--clear-groups', 'ls', path])).code).not.toBe(0);
      await ok('rmi', image('layers'));
      await engine.daemon.stop();
      await engine.startStrake();
      expect(await engine.world.output(['cat', `${path}/cake/kept`])).toBe('kept\n');
      expect(await ok('image', 'mount', '--format', '{{.ID}} {{.Names}} {{.Path}}')).toBe(`${id.slice(7, 19)} <none> ${path}`);
      expect(await ok('image', 'unmount', '--all')).toBe(id);
      expect(await ok('image', 'mount', '--format', '{{.ID}}')).toBe('');
      expect((await engine.world.run(['ls', path])).code).not.toBe(0);
      expect((await strake(['image', 'mount', 'absent'])).stderr).toBe('Error response from daemon: No such image: absent:latest\n');
      expect((await strake(['image', 'unmount', busybox])).stderr).toBe(`Error response from daemon: image ${busybox} is not mounted\n`);
      expect(await ok('image', 'unmount')).toBe('');
      // The daemon is another one now.
      before = await idleSnapshot(engine.peers);
    },
    stepMs,
  );
});

/** Names and sizes of what is in an archive. */
function sortedEntries(file: string): readonly string[] {
  const rows = execFileSync('tar', ['tvf', file], { encoding: 'utf8' }).trimEnd().split('\n');
  return rows.map((row) => row.replace(/^(\S+) \S+ +(\d+) \S+ \S+ /, '$1 $2 ')).toSorted();
}

test(
  'chain: what stands between the engine and the process',
  async () => {
    const id = await ok('run', '-d', '--network', 'none', busybox, 'sleep', '1000');
    const links = JSON.parse(await ok('chain', '--json', id)) as { readonly seam: string; readonly pid?: number; readonly sockets: readonly string[] }[];
    expect(links.map(({ seam }) => seam)).toEqual(['engine', 'containerd', 'runtime', 'zygote', 'monitor', 'process']);
    expect(links[0]?.sockets).toEqual([`unix://${engine.socket}`]);
    expect(links[4]?.sockets).toEqual([`${engine.execRoot}/tasks/${id}/monitor.sock`]);
    expect(String(links[5]?.pid)).toBe(await ok('inspect', '--format', '{{.State.Pid}}', id));
    expect(engine.world.status(links[5]?.pid ?? 0, 'PPid')).toBe(String(links[4]?.pid));
    await ok('kill', id);
    expect(await ok('chain', id)).not.toContain('monitor');
    await ok('rm', id);
  },
  stepMs,
);

describe('explain', () => {
  test(
    'the chain, the configuration and the program, without a container',
    async () => {
      const text = await ok('explain', '--memory', '64m', busybox, 'echo', 'hi');
      for (const part of ['# The chain\n', '# The OCI configuration\n', '# The program', 'pivot_root', '"limit": 67108864', '"echo"'])
        expect(text).toContain(part);
      expect(await ok('explain', '--calls', busybox)).toMatch(/pivot_root.*\[.*pivot_root.*\]/);
      const document = JSON.parse(await ok('explain', '--format', 'json', busybox, 'true')) as {
        readonly spec: { readonly process: { readonly args: unknown } };
      };
      expect(document.spec.process.args).toEqual(['true']);
      expect(await ok('ps', '-aq')).toBe('');
    },
    stepMs,
  );
});

test(
  'nothing is left',
  async () => {
    expect(await leaksSince(before, engine.peers)).toEqual([]);
  },
  stepMs,
);
