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
];
