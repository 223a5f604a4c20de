import { expect } from 'bun:test';
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Session } from '../../lib/session.ts';
import type { Step } from './step.ts';
import { busybox, image } from './step.ts';

/** A pipeline with the docker CLI of the engine in it, as `$D`, and a directory as `$W`; its output is recorded. */
async function pipe(session: Session, script: string, work = ''): Promise<string> {
  const finished = await session.engine.peers.run(['sh', '-c', `D='${session.engine.cli([]).join(' ')}'; W='${work}'; ${script}`]);
  if (finished.code !== 0) throw new Error(`${session.engine.name}: ${script}: exit ${finished.code}: ${finished.stderr.trim()}`);
  session.note(script, finished.stdout);
  return finished.stdout;
}

/** A copy whose outcome is recorded: of its errors the last, but for those by which the CLI may tell, before or after, that its own archive was not read to the end. */
async function copy(session: Session, source: string, target: string): Promise<void> {
  const { code, stderr } = await session.engine.docker(['cp', '-q', source, target]);
  const errors = stderr
    .trim()
    .split('\n')
    .filter((line) => !/ level=error msg="Can't add file .* to tar: .*closed pipe"$/.test(line));
  session.note(`cp to ${target.replace(session.engine.work, '')}`, [code, errors.at(-1)]);
}

/** Names, kinds, modes, owners and targets of an archive. */
const list = 'tar -tvf - --numeric-owner | awk \'{$3=""; $4=""; $5=""; print}\' | sort';

const makeTree =
  'mkdir -p /t/d/e /t/empty; echo one >/t/d/f; ln -s d /t/l; ln -s /t/d/f /t/far; ln -s nowhere /t/broken; ln /t/d/f /t/d/again; chmod 4751 /t/d/e; chown 7:8 /t/d/f; mkfifo /t/pipe; echo x >"/t/a b"';

export const copySteps: readonly Step[] = [
  {
    name: 'cp out of a container: what an archive of a path has in it, running and stopped',
    async play(session) {
      const name = session.container('out');
      await session.ok('run', '--name', name, '-d', busybox, 'sh', '-c', `${makeTree}; echo ready; exec sleep 1000`);
      await session.engine.peers.run(['sh', '-c', `until ${session.engine.cli(['logs', name]).join(' ')} | grep -q ready; do sleep 0.05; done`]);
      for (const path of [
        '/t',
        '/t/',
        '/t/.',
        '/t/d',
        't/d/f',
        '/t/l',
        '/t/l/',
        '/t/l/.',
        '/t/far',
        '/t/broken',
        '/t/d/../empty',
        '/etc/hostname',
        '/t/pipe',
        '/t/a b',
      ])
        await pipe(session, `$D cp '${name}:${path}' - | ${list}`);
      await pipe(session, `$D cp -L ${name}:/t/l - | ${list}`);
      for (const path of ['/absent', '/t/d/f/x', '/absent/']) expect((await session.docker(['cp', `${name}:${path}`, '-'])).code, path).toBe(1);
      await session.docker(['cp', 'nobody:/t', '-']);
      await session.ok('stop', '-t', '0', name);
      for (const path of ['/t', '/etc/hostname']) await pipe(session, `$D cp ${name}:${path} - | ${list}`);
      expect(await pipe(session, `$D cp ${name}:/t/d/f - | tar -xOf -`)).toBe('one\n');
    },
  },
  {
    name: 'cp to the host: into a directory, over a file, under a new name',
    async play(session) {
      const name = session.container('to-host');
      await session.ok('run', '--name', name, busybox, 'sh', '-c', makeTree.replace('mkfifo /t/pipe; ', ''));
      const dir = session.directory('to-host');
      const at = (path: string) => join(dir, path);
      mkdirSync(at('there'));
      writeFileSync(at('file'), 'old');
      for (const [source, target] of [
        ['/t/d', 'there'],
        ['/t/d', 'new'],
        ['/t/d/.', 'content'],
        ['/t/d/f', 'file'],
        ['/t/d/f', 'named'],
        ['/t/l', 'there'],
        ['/t/d', 'file'],
        ['/t/d/f', 'absent/'],
        ['/t/d/f', 'no/such'],
      ] as const)
        await session.docker(['cp', '-q', `${name}:${source}`, at(target)]);
      session.note(
        'tree',
        (await session.engine.peers.output(['sh', '-c', `cd ${dir} && find . -printf '%P %y %m %U:%G %l %n\\n' | sort`])).replace(/^.* d .*$/gm, (line) =>
          line.replace(/ \d+$/, ''),
        ),
      );
      expect([readFileSync(at('file'), 'utf8'), readlinkSync(at('there/l'))]).toEqual(['one\n', 'd']);
    },
  },
  {
    name: 'cp into a container: running, stopped and never started; what is there stays what it is',
    async play(session) {
      const dir = session.directory('into');
      mkdirSync(join(dir, 'd/sub'), { recursive: true });
      writeFileSync(join(dir, 'd/f'), 'new\n');
      chmodSync(join(dir, 'd/f'), 0o640);
      symlinkSync('f', join(dir, 'd/l'));
      const names = [session.container('in-running'), session.container('in-stopped'), session.container('in-created')] as const;
      await session.ok('run', '-d', '--name', names[0], busybox, 'sleep', '1000');
      await session.ok('run', '--name', names[1], busybox, 'true');
      await session.ok('create', '--name', names[2], busybox, 'sh', '-c', 'find /got /dir -exec stat -c "%n %F %a %u:%g" {} + | sort; cat /got/f /dir/d/f');
      for (const name of names) {
        for (const [source, target] of [
          ['d', '/got'],
          ['d/f', '/got'],
          ['d/f', '/named'],
          ['d/.', '/got/'],
          ['d/f', '/nowhere/f'],
          ['d/f', '/absent/'],
          ['absent', '/'],
          ['d/l', '/link'],
        ] as const)
          await copy(session, join(dir, source), `${name}:${target}`);
        await pipe(session, `tar -C $W -cf - d | gzip | $D cp - ${name}:/tmp; tar -C $W -cf - d | $D cp - ${name}:/; $D cp ${name}:/got - | ${list}`, dir);
        await copy(session, join(dir, 'd'), `${name}:/etc/hostname`);
        await session.docker(['cp', '-', `${name}:/named`], { stdin: '' });
        await copy(session, join(dir, 'd/f'), `${name}:/d`);
        await copy(session, join(dir, 'd'), `${name}:/d/f`);
        await pipe(session, `$D cp ${name}:/named - | ${list}; $D cp ${name}:/link - | ${list}; $D cp ${name}:/d - | ${list}; $D cp ${name}:/tmp - | ${list}`);
      }
      await pipe(session, `$D exec ${names[0]} sh -c 'cat /got/f /d/f/d/f 2>&1; ls -ln /d'`);
    },
  },
  {
    name: 'cp and volumes: written through, and not where they are read-only',
    async play(session) {
      const dir = session.directory('cp-volumes');
      mkdirSync(join(dir, 'bound'));
      writeFileSync(join(dir, 'file'), 'text\n');
      const name = session.container('cp-volumes');
      await session.ok(
        'create',
        '--name',
        name,
        '-v',
        `${dir}/bound:/bound`,
        '-v',
        `${dir}/bound:/ro:ro`,
        '-v',
        '/anonymous',
        busybox,
        'cat',
        '/anonymous/file',
      );
      await session.ok('cp', '-q', `${dir}/file`, `${name}:/bound/`);
      expect(readFileSync(join(dir, 'bound/file'), 'utf8')).toBe('text\n');
      await session.docker(['cp', '-q', `${dir}/file`, `${name}:/ro/other`]);
      expect(existsSync(join(dir, 'bound/other'))).toBe(false);
      await session.ok('cp', '-q', `${dir}/file`, `${name}:/anonymous/file`);
      await pipe(session, `$D cp ${name}:/ro - | ${list}`);
      await session.ok('start', '-a', name);
      const readOnly = session.container('cp-read-only');
      await session.ok('run', '-d', '--name', readOnly, '--read-only', '-v', '/free', busybox, 'sleep', '1000');
      await session.docker(['cp', '-q', `${dir}/file`, `${readOnly}:/file`]);
      await session.ok('cp', '-q', `${dir}/file`, `${readOnly}:/free/file`);
      await session.ok('exec', readOnly, 'cat', '/free/file');
    },
  },
  {
    name: 'cp -a gives files to the user of the container',
    async play(session) {
      const dir = session.directory('cp-user');
      writeFileSync(join(dir, 'file'), 'text\n');
      const name = session.container('cp-user');
      await session.ok('create', '--name', name, '--user', '12:34', busybox, 'true');
      await session.ok('cp', '-q', '-a', `${dir}/file`, `${name}:/tmp/own`);
      await session.ok('cp', '-q', `${dir}/file`, `${name}:/tmp/root`);
      await pipe(session, `$D cp ${name}:/tmp - | ${list}`);
    },
  },
  {
    name: 'diff: what was added, changed and deleted, and not what lies in volumes',
    async play(session) {
      const name = session.container('differs');
      await session.quiet('pull', image('configured'));
      await session.ok(
        'run',
        '--name',
        name,
        '-v',
        '/volume',
        '--user',
        '0',
        '--entrypoint',
        'sh',
        image('configured'),
        '-c',
        'mkdir -p /new/er; echo x >/new/file; rm /bin/true; echo y >>/etc/passwd; echo z >/volume/z; rm -r /home; mkdir /home; echo h >/home/h',
      );
      expect(await pipe(session, `$D diff ${name} | sort`)).toContain('D /bin/true\n');
      await session.ok('start', '-a', name);
      await session.docker(['diff', 'nobody']);
    },
  },
  {
    name: 'export: the whole root filesystem, also while it runs',
    async play(session) {
      const name = session.container('exported');
      await session.ok('run', '-d', '--name', name, '-v', '/volume', busybox, 'sh', '-c', `${makeTree}; echo ready; exec sleep 1000`);
      await session.engine.peers.run(['sh', '-c', `until ${session.engine.cli(['logs', name]).join(' ')} | grep -q ready; do sleep 0.05; done`]);
      // What an engine makes for itself in a root is its own matter.
      const own = "grep -vE ' (dev|etc|proc|sys)/| \\.dockerenv$'";
      await pipe(session, `$D export ${name} | ${list} | ${own}`);
      const out = join(session.directory('exported'), 'root.tar');
      await session.ok('export', '-o', out, name);
      expect(statSync(out).size).toBeGreaterThan(1 << 20);
      await session.docker(['export', 'nobody']);
      expect(lstatSync(out).isFile() && readdirSync(session.directory('exported'))).toEqual(['root.tar']);
    },
  },
];
