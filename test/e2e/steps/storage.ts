import { expect } from 'bun:test';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Step } from './step.ts';
import { busybox, image } from './step.ts';

export const storageSteps: readonly Step[] = [
  {
    name: '-v binds a directory and a file, read-write and read-only',
    async play(session) {
      const dir = session.directory('bind');
      writeFileSync(join(dir, 'from-host'), 'host\n');
      await session.ok('run', '--rm', '-v', `${dir}:/data`, busybox, 'sh', '-c', 'cat /data/from-host; echo inside >/data/from-container');
      expect(readFileSync(join(dir, 'from-container'), 'utf8')).toBe('inside\n');
      await session.docker(['run', '--rm', '-v', `${dir}:/data:ro`, busybox, 'touch', '/data/refused']);
      await session.ok('run', '--rm', '-v', `${join(dir, 'from-host')}:/etc/motd`, busybox, 'cat', '/etc/motd');
      await session.ok(
        'run',
        '--rm',
        '--mount',
        `type=bind,src=${dir},dst=/data,readonly`,
        busybox,
        'sh',
        '-c',
        'grep " /data " /proc/mounts | cut -d" " -f4 | cut -d, -f1',
      );
      await session.docker(['run', '--rm', '--mount', `type=bind,src=${dir}/absent,dst=/data`, busybox, 'true']);
      await session.ok('run', '--rm', '-v', `${dir}/made:/data`, busybox, 'stat', '-c', '%F %u', '/data');
      await session.docker(['run', '--rm', '-v', 'relative/path:/data', busybox, 'true']);
      await session.docker(['run', '--rm', '-v', `${dir}:data`, busybox, 'true']);
    },
  },
  {
    name: 'a bind is recursive, and its target may lie behind an image’s symlink',
    async play(session) {
      const dir = session.directory('linked');
      mkdirSync(join(dir, 'real'), { recursive: true });
      writeFileSync(join(dir, 'real/file'), 'through\n');
      symlinkSync('real', join(dir, 'link'));
      await session.ok('run', '--rm', '-v', `${join(dir, 'link')}:/sbin/../data`, busybox, 'cat', '/data/file');
    },
  },
  {
    name: 'named volumes: made, filled from the image, kept, listed, removed',
    async play(session) {
      await session.quiet('pull', image('configured'));
      const name = session.container('volume-user');
      await session.ok(
        'run',
        '--name',
        name,
        '-v',
        'pages:/var/www',
        busybox,
        'sh',
        '-c',
        'cat /var/www/index.html; stat -c %u:%g /var/www; echo more >/var/www/more',
      );
      await session.ok('run', '--rm', '-v', 'pages:/elsewhere', busybox, 'ls', '/elsewhere');
      await session.ok('volume', 'ls', '--filter', 'name=pages', '--format', '{{.Driver}} {{.Name}}');
      await session.ok('volume', 'inspect', '--format', '{{.Name}} {{.Driver}} {{.Scope}} {{.Labels}}', 'pages');
      await session.docker(['volume', 'rm', 'pages']);
      await session.ok('rm', name);
      await session.ok('volume', 'rm', 'pages');
      await session.docker(['volume', 'rm', 'pages']);
      await session.docker(['volume', 'create', '../escape']);
    },
  },
  {
    name: 'anonymous volumes go with --rm, and nocopy leaves them empty',
    async play(session) {
      const before = await session.quiet('volume', 'ls', '-q');
      await session.ok('run', '--rm', '-v', '/var/www', busybox, 'cat', '/var/www/index.html');
      await session.ok('run', '--rm', image('configured'));
      expect(await session.quiet('volume', 'ls', '-q')).toBe(before);
      await session.ok('run', '--rm', '-v', 'bare:/var/www:nocopy', busybox, 'ls', '/var/www');
      await session.ok('volume', 'rm', 'bare');
    },
  },
  {
    name: '--tmpfs and --mount type=tmpfs',
    async play(session) {
      await session.ok(
        'run',
        '--rm',
        '--tmpfs',
        '/a',
        '--mount',
        'type=tmpfs,dst=/b,tmpfs-size=2m,tmpfs-mode=700',
        busybox,
        'sh',
        '-c',
        'grep -E " /(a|b) " /proc/mounts | sort | cut -d" " -f2-4; stat -c %a /a /b',
      );
    },
  },
  {
    name: 'what a container writes is its own, and is kept until rm',
    async play(session) {
      const name = session.container('writer');
      await session.ok('run', '--name', name, busybox, 'sh', '-c', 'echo mine >/file; rm /etc/shadow; echo $(cat /file)');
      await session.ok('start', '-a', name);
      await session.docker(['run', '--rm', busybox, 'cat', '/file']);
      await session.ok('run', '--rm', busybox, 'ls', '-l', '/etc/shadow');
    },
  },
  {
    name: '--mount type=image: read-only, a part of it, kept for the container when the image has gone',
    async play(session) {
      const tools = image('configured');
      await session.quiet('pull', tools);
      /** Docker warns that it is an experiment there. */
      const run = async (...argv: readonly string[]) => {
        const { code, stdout, stderr } = await session.engine.docker(argv);
        session.note(argv.join(' '), [code, stdout, stderr.replace('WARNING: Image mount is an experimental feature\n', '')]);
      };
      const all = `type=image,source=${tools},target=/img`;
      const look = ['sh', '-c', 'ls /img; touch /img/x; cat /img/var/www/index.html; stat -c "%a %u" /img'];
      await run('run', '--rm', '--mount', all, busybox, ...look);
      for (const part of ['var/www', 'bin/../var/www/index.html', '/var/www', '../..'])
        await run('run', '--rm', '--mount', `${all},readonly,image-subpath=${part}`, busybox, 'sh', '-c', 'ls /img');
      for (const mount of ['type=image,target=/img', `type=image,source=${image('nobody')},target=/img`])
        session.note(mount, (await session.engine.docker(['create', '--pull', 'never', '--mount', mount, busybox, 'true'])).stderr);
      await session.docker(['run', '--rm', '--mount', `${all},volume-nocopy`, busybox, 'true']);
      const old = await session.engine.docker(['create', '--mount', all, busybox, 'true'], { env: { DOCKER_API_VERSION: '1.47' } });
      session.note('an older API', [old.code, old.stderr]);
      expect((await session.engine.docker(['run', '--rm', '--mount', `${all},image-subpath=absent`, busybox, 'true'])).code).not.toBe(0);
      const name = session.container('image-user');
      await session.quiet('run', '-d', '--name', name, '--mount', all, busybox, 'sleep', '1000');
      const [mount] = (await session.inspect(name))['Mounts'] as [Record<string, unknown>];
      expect(mount['Source']).toStartWith(session.engine.work);
      session.note('mount', { ...mount, Source: '' });
      await session.ok('inspect', '--format', '{{json .HostConfig.Mounts}}', name);
      session.note('in use', (await session.engine.docker(['rmi', tools])).stderr.replace(/[0-9a-f]{12}/g, '<id>'));
      await session.quiet('stop', '-t', '0', name);
      await session.quiet('rmi', '-f', tools);
      await session.ok('start', name);
      await session.ok('exec', name, 'cat', '/img/var/www/index.html');
      await session.ok('rm', '-f', name);
    },
  },
];
