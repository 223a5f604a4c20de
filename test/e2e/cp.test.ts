/** `strake cp` beside `docker cp` on one engine: what each makes of the same trees. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { writeTar } from '../../src/core/index.ts';
import { Engine } from '../lib/engine.ts';
import { idleSnapshot, leaksSince, type Snapshot } from '../lib/leaks.ts';
import { warm } from '../lib/play.ts';
import type { Finished, RunOptions } from '../lib/process.ts';
import { busybox } from './steps/step.ts';

const setupMs = 600_000;
const stepMs = 120_000;

let engine: Engine;
let before: Snapshot;

const strake = async (argv: readonly string[], options?: RunOptions): Promise<Finished> => await engine.own(argv, options);

const ok = async (...argv: readonly string[]): Promise<string> => await engine.ownOutput(argv);

/** A new directory on the host. */
function directory(name: string): string {
  const dir = join(engine.work, name);
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir);
  return dir;
}

/** The error; before it the CLI may tell that its own archive was not read to the end. */
function lastLine(stderr: string): string {
  return (stderr.trim().split('\n').at(-1) ?? '').replace(/^strake: /, '');
}

/** Kinds, modes, owners, names, targets and content below a directory. */
async function treeOf(dir: string): Promise<string> {
  return await engine.world.output([
    'sh',
    '-c',
    `cd ${dir} && find . -printf '%y %m %U:%G %P %l\\n' | sort && find . -type f | sort | tr '\\n' '\\0' | xargs -0r md5sum`,
  ]);
}

beforeAll(async () => {
  engine = await Engine.start('strake');
  await warm(engine, busybox);
  before = await idleSnapshot(engine.peers);
}, setupMs);

afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
}, setupMs);

const makeTree =
  'mkdir -p /t/d/e; echo one >/t/d/f; ln -s d /t/l; ln -s /t/d/f /t/far; ln -s nowhere /t/broken; chmod 4751 /t/d/e; chown 7:8 /t/d/f; echo x >"/t/a b"';

test(
  'out of a container: as docker does, into every kind of place',
  async () => {
    await ok('run', '--name', 'source', busybox, 'sh', '-c', makeTree);
    const outcomes = async (cp: (argv: readonly string[]) => Promise<Finished>) => {
      const dir = directory('out');
      mkdirSync(join(dir, 'there'));
      writeFileSync(join(dir, 'file'), 'old');
      symlinkSync('there', join(dir, 'link'));
      const told: unknown[] = [];
      for (const [source, target, ...flags] of [
        ['/t/d', 'there'],
        ['/t/d', 'new'],
        ['/t/d/.', 'content'],
        ['/t/d/.', 'there'],
        ['/t/d/f', 'file'],
        ['/t/d/f', 'named'],
        ['/t/d/f', 'link'],
        ['/t/l', 'link/l'],
        ['/t/l', 'followed', '-L'],
        ['/t/l', 'there', '-L'],
        ['/t/far', 'far', '-L'],
        ['/t/broken', 'there'],
        ['/t/l/', 'slash'],
        ['/t/a b', 'a b'],
        ['/t/d', 'file'],
        ['/t/d', 'there/d/f'],
        ['/t/d/f', 'absent/'],
        ['/t/d/f', 'no/such'],
        ['/absent', 'there'],
      ] as const) {
        const { code, stdout, stderr } = await cp(['cp', ...flags, `source:${source}`, join(dir, target)]);
        told.push([source, target, code, stdout, lastLine(stderr)]);
      }
      return { told, tree: await treeOf(dir) };
    };
    const theirs = await outcomes(async (argv) => await engine.docker(argv));
    expect(await outcomes(strake)).toEqual(theirs);
    await ok('rm', 'source');
  },
  stepMs,
);

test(
  'into a container: as docker does',
  async () => {
    const dir = directory('in');
    mkdirSync(join(dir, 'd/sub'), { recursive: true });
    writeFileSync(join(dir, 'd/f'), 'new\n');
    chmodSync(join(dir, 'd/f'), 0o640);
    symlinkSync('d', join(dir, 'l'));
    symlinkSync('missing', join(dir, 'broken'));
    const outcomes = async (cp: (argv: readonly string[]) => Promise<Finished>) => {
      await ok('run', '--name', 'target', busybox, 'sh', '-c', 'mkdir /there /ro; ln -s there /link; echo old >/file');
      const told: unknown[] = [];
      for (const [source, target, ...flags] of [
        ['d', '/new'],
        ['d', '/there'],
        ['d/.', '/there'],
        ['d/', '/link'],
        ['d/f', '/link'],
        ['d/f', '/file'],
        ['d/f', '/named'],
        ['l', '/there'],
        ['l', '/there/followed', '-L'],
        ['l/', '/slash'],
        ['l', '/there', '-L'],
        ['broken', '/there/broken'],
        ['d', '/file'],
        ['d', '/there/f'],
        ['d/f', '/absent/'],
        ['d/f', '/no/such'],
        ['absent', '/there'],
      ] as const) {
        const { code, stdout, stderr } = await cp(['cp', ...flags, join(dir, source), `target:${target}`]);
        told.push([source, target, code, stdout, lastLine(stderr)]);
      }
      const listed = await engine.world.output([
        'sh',
        '-c',
        `${engine.strake.join(' ')} export target | tar -tvf - --numeric-owner | grep -E '^[^h].* (new|there|link|file|named|slash)' | awk '{$4=$5=""; print}'`,
      ]);
      await ok('rm', 'target');
      return { told, listed };
    };
    const theirs = await outcomes(async (argv) => await engine.docker(argv));
    expect(await outcomes(strake)).toEqual(theirs);
  },
  stepMs,
);

test(
  'archives on stdin and stdout; owners with -a alone; a summary unless quiet',
  async () => {
    await ok('create', '--name', 'piped', busybox, 'true');
    const archive = writeTar([
      { name: 'dir/', type: 'directory', mode: 0o755 },
      { name: 'dir/file', type: 'file', mode: 0o600, content: Buffer.from('text') },
    ]);
    expect(await strake(['cp', '-', 'piped:/tmp'], { stdin: archive })).toMatchObject({ code: 0, stdout: '', stderr: '' });
    expect(await strake(['cp', '-', 'piped:/etc/passwd'], { stdin: archive })).toMatchObject({
      code: 1,
      stderr: 'strake: destination "piped:/etc/passwd" must be a directory\n',
    });
    const pipe = `${engine.strake.join(' ')} cp piped:/tmp/dir - | tar -tf -`;
    expect(await engine.world.output(['sh', '-c', pipe])).toBe('dir/\ndir/file\n');
    const dir = directory('owned');
    await engine.world.output(['sh', '-c', `echo x >${dir}/x; chown 12:34 ${dir}/x`]);
    expect((await strake(['cp', '--quiet=false', join(dir, 'x'), 'piped:/x'])).stderr).toBe('Successfully copied 2B (transferred 3.07kB) to piped:/x\n');
    await ok('cp', 'piped:/x', join(dir, 'mine'));
    await ok('cp', '-a', 'piped:/x', join(dir, 'kept'));
    expect(await engine.world.output(['stat', '-c', '%u:%g', join(dir, 'mine'), join(dir, 'kept')])).toBe('0:0\n12:34\n');
    expect(await strake(['cp', 'a:/x', 'b:/x'])).toMatchObject({ code: 1, stderr: 'copying between containers is not supported\n' });
    expect(await strake(['cp', './a', '/b'])).toMatchObject({ code: 1, stderr: 'must specify at least one container source\n' });
    await ok('rm', 'piped');
  },
  stepMs,
);

test(
  'on a terminal a copy says what it did',
  async () => {
    await ok('create', '--name', 'shown', busybox, 'true');
    const dir = directory('shown');
    writeFileSync(join(dir, 'x'), 'x'.repeat(5000));
    const ownTerminal = ['setsid', '--ctty', '--wait'];
    const into = engine.world.pty([...ownTerminal, ...engine.strake, 'cp', join(dir, 'x'), 'shown:/tmp/']);
    await into.shows(/Successfully copied 5kB \(transferred \d\S+kB\) to shown:\/tmp\//);
    expect(await into.end()).toBe(0);
    const out = engine.world.pty([...ownTerminal, ...engine.strake, 'cp', 'shown:/tmp/x', join(dir, 'y')]);
    await out.shows(/Successfully copied 5kB \(transferred \d\S+kB\) to \S+\/y/);
    expect(await out.end()).toBe(0);
    expect(readFileSync(join(dir, 'y'), 'utf8')).toBe('x'.repeat(5000));
    await ok('rm', 'shown');
  },
  stepMs,
);

test(
  'an ordinary user copies with no right but his own',
  async () => {
    chmodSync(engine.socket, 0o666);
    const dir = directory('users');
    await engine.world.output(['chown', '1000:1000', dir]);
    await ok('create', '--name', 'shared', busybox, 'true');
    const as1000 = async (argv: readonly string[]) =>
      await engine.world.run(['setpriv', '--reuid=1000', '--regid=1000', '--clear-groups', ...engine.strake, ...argv]);
    expect(await as1000(['cp', 'shared:/etc', join(dir, 'etc')])).toMatchObject({ code: 0, stderr: '' });
    expect(await engine.world.output(['stat', '-c', '%u:%g %F', join(dir, 'etc/passwd')])).toBe('1000:1000 regular file\n');
    expect(await as1000(['cp', join(dir, 'etc/passwd'), 'shared:/tmp/again'])).toMatchObject({ code: 0, stderr: '' });
    writeFileSync(join(dir, 'secret'), 'x', { mode: 0o600 });
    expect(await as1000(['cp', join(dir, 'secret'), 'shared:/tmp'])).toMatchObject({ code: 1 });
    await ok('rm', 'shared');
  },
  stepMs,
);

test(
  'diff and export',
  async () => {
    await ok('run', '--name', 'changed', busybox, 'sh', '-c', 'mkdir /new; echo x >/new/file; rm /bin/true');
    expect(await ok('diff', 'changed')).toBe('C /bin\nD /bin/true\nA /new\nA /new/file\n');
    const out = join(directory('exported'), 'root.tar');
    await ok('export', '-o', out, 'changed');
    expect((await engine.world.output(['tar', '-tf', out])).split('\n')).toContain('new/file');
    expect(readdirSync(join(engine.work, 'exported'))).toEqual(['root.tar']);
    expect(await strake(['export', '-o', engine.work, 'changed'])).toMatchObject({ code: 1 });
    expect(await strake(['export', '-o', out, 'nobody'])).toMatchObject({ code: 1, stderr: 'Error response from daemon: No such container: nobody\n' });
    expect(readFileSync(out).length).toBeGreaterThan(1 << 20);
    await ok('rm', 'changed');
  },
  stepMs,
);

/** One request to the engine; the whole answer. */
async function call(
  method: string,
  path: string,
  body?: Uint8Array,
  timeoutMs?: number,
): Promise<{ readonly status: number /** 0: none within the time */; readonly body: Buffer }> {
  return await new Promise((resolve, reject) => {
    const outgoing = request(
      { socketPath: engine.socket, method, path: `/v1.51${path}`, headers: body === undefined ? {} : { 'Content-Type': 'application/x-tar' } },
      (response) => {
        response.toArray().then((parts) => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(parts as Buffer[]) }), reject);
      },
    );
    outgoing.on('error', reject);
    if (timeoutMs !== undefined)
      outgoing.setTimeout(timeoutMs, () => {
        resolve({ status: 0, body: Buffer.alloc(0) });
        outgoing.destroy();
      });
    outgoing.end(body);
  });
}

test(
  'a client that reads slowly holds its archive back, not the daemon’s memory; one that goes lets the container go',
  async () => {
    const bytes = 300 << 20;
    await ok('run', '--name', 'large', busybox, 'sh', '-c', `dd if=/dev/zero of=/large bs=1M count=${bytes >> 20} 2>/dev/null`);
    const resident = () => Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${engine.daemon.innerPid}/status`, 'utf8'))?.[1]) << 10;
    const before = resident();
    const outgoing = request({ socketPath: engine.socket, path: '/v1.51/containers/large/archive?path=/large' });
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    outgoing.on('response', resolve).on('error', reject).end();
    const response = await promise;
    response.pause();
    // So much may be under way: sockets, and what the session has read ahead.
    const started = ok('start', '-a', 'large');
    expect((await call('GET', '/containers/large/archive?path=/etc/passwd&', undefined, 500)).status).toBe(0);
    expect(resident() - before).toBeLessThan(64 << 20);
    response.destroy();
    await started;
    await ok('rm', 'large');
  },
  stepMs,
);

test(
  'nothing is left in the kernel',
  async () => {
    expect(await leaksSince(before, engine.peers)).toEqual([]);
  },
  stepMs,
);
