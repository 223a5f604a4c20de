import { expect } from 'bun:test';
import type { Step } from './step.ts';
import { image } from './step.ts';

/** Progress lines come in the order of the network; what they say does not. */
const sorted = (text: string): string[] => text.split('\n').sort();

export const imageSteps: readonly Step[] = [
  {
    name: 'pull shows progress and the digest, then says up to date',
    async play(session) {
      const first = await session.engine.docker(['pull', image('layers')]);
      expect(first.code).toBe(0);
      const steady = sorted(first.stdout).filter(
        (line) => !/Verifying Checksum|Download complete|Pulling fs layer|Waiting|Already exists|Downloading|Extracting/.test(line),
      );
      session.note('first pull', steady);
      await session.ok('pull', image('layers'));
      await session.ok('pull', '--quiet', image('layers'));
      await session.ok('rmi', image('layers'));
    },
  },
  {
    name: 'the debootstrapped image of a few hundred MB runs',
    async play(session) {
      expect((await session.engine.docker(['pull', '--quiet', image('debian')], { timeoutMs: 180_000 })).code).toBe(0);
      await session.ok('run', '--rm', image('debian'), 'cat', '/etc/debian_version');
      await session.ok('run', '--rm', image('debian'), 'perl', '-e', 'print 6*7, "\\n"');
      const listing =
        'cd / && find bin sbin lib etc usr var home root tmp -printf "%y %m %U:%G %s %p %l\\n" 2>/dev/null | grep -v "^d" | grep -v " etc/\\(hosts\\|hostname\\|resolv.conf\\) " | sort | sha256sum';
      await session.ok('run', '--rm', image('debian'), 'sh', '-c', listing);
    },
  },
  {
    name: 'layers: whiteouts, opaque directories, changed kinds, links, modes, owners and attributes',
    async play(session) {
      await session.quiet('pull', image('layers'));
      await session.ok(
        'run',
        '--rm',
        image('layers'),
        'sh',
        '-c',
        'cd /cake && find . | sort && cat kept replaced opaque/* twin-b long-* && readlink dir-then-link',
      );
      await session.ok('run', '--rm', image('layers'), 'sh', '-c', 'cd /cake && stat -c "%n %F %a %u:%g %h %s %Y" *');
      await session.ok('history', '--format', '{{.CreatedBy}} {{.Size}}', image('layers'));
      await session.ok('history', '--no-trunc', image('layers'));
    },
  },
  {
    name: 'an image’s settings all arrive',
    async play(session) {
      await session.quiet('pull', image('configured'));
      await session.ok('run', '--rm', image('configured'));
      await session.ok('run', '--rm', image('configured'), 'other');
      await session.ok('run', '--rm', '--entrypoint', '/bin/sh', image('configured'), '-c', 'id; pwd; echo $FROM_IMAGE; cat index.html; stat -c %u:%g .');
      const settings = JSON.parse(await session.quiet('image', 'inspect', '--format', '{{json .Config}}', image('configured'))) as Record<string, unknown>;
      session.note('Config', settings);
      session.note('RootFS', JSON.parse(await session.quiet('image', 'inspect', '--format', '{{json .RootFS}}', image('configured'))));
      await session.ok(
        'image',
        'inspect',
        '--format',
        '{{.Id}} {{.Os}}/{{.Architecture}} {{.Created}} {{.Size}} {{.RepoTags}} {{.RepoDigests}}',
        image('configured'),
      );
      session.note('id', await session.quiet('image', 'inspect', '--format', '{{.Id}}', image('configured')));
    },
  },
  {
    name: 'images, tag, filters, and rmi by name, by id and in use',
    async play(session) {
      await session.quiet('pull', image('configured'));
      await session.ok('tag', image('configured'), 'local/tagged:v1');
      await session.ok('images', 'local/tagged');
      await session.ok('images', '--quiet', '--no-trunc', 'local/tagged');
      // docker keeps the names of one image in a Go map, whose order is left to chance.
      session.note(
        'named',
        sorted(await session.quiet('images', '--filter', 'label=org.strake.test=configured', '--format', '{{.Repository}}:{{.Tag}} {{.Size}}')),
      );
      await session.ok('images', '--digests', '--format', '{{.Digest}}', image('configured'));
      const user = session.container('uses-image');
      await session.ok('create', '--name', user, 'local/tagged:v1');
      await session.docker(['rmi', 'local/tagged:v1', image('configured')]);
      await session.docker(['rmi', await session.quiet('image', 'inspect', '--format', '{{.Id}}', image('configured'))]);
      await session.ok('rm', user);
      await session.docker(['rmi', image('configured')]);
      await session.docker(['rmi', image('configured')]);
    },
  },
  {
    name: 'pull of what is not there',
    async play(session) {
      await session.docker(['pull', image('absent')]);
      await session.docker(['pull', `${image('busybox')}:absent`]);
      await session.docker(['pull', `${image('busybox')}@sha256:${'0'.repeat(64)}`]);
      await session.docker(['pull', '127.0.0.1:5999/nobody-listens']);
      await session.docker(['run', '--rm', image('absent')]);
      await session.docker(['image', 'inspect', 'absent']);
    },
  },
];
