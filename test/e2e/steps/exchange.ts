import { expect } from 'bun:test';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratchHost, startScratchRegistry } from '../../fixtures/registry.ts';
import type { Session } from '../../lib/session.ts';
import type { Step } from './step.ts';
import { busybox, image } from './step.ts';

/** What a container of the image shows of its files, and what it runs. */
const listing =
  'find / -xdev ! -path "/proc*" ! -path "/dev*" ! -path "/sys*" ! -path "/etc/host*" ! -path "/etc/resolv.conf" ! -path "/.dockerenv" ! -path "/etc/mtab" -exec stat -c "%n %F %a %u:%g %s" {} + | grep -v "^/ \\|^/etc " | sort';

async function shown(session: Session, name: string): Promise<string> {
  return await session.quiet('run', '--rm', name, 'sh', '-c', listing);
}

const sorted = (text: string): string[] => [...new Set(text.split('\n'))].toSorted();

async function configOf(session: Session, name: string): Promise<unknown> {
  return JSON.parse(await session.quiet('image', 'inspect', '--format', '{{json .Config}}', name));
}

export const exchangeSteps: readonly Step[] = [
  {
    name: 'save and load: the same image comes back, under its names',
    async play(session) {
      const dir = session.directory('save');
      const file = join(dir, 'images.tar');
      await session.quiet('pull', image('layers'));
      await session.quiet('pull', image('configured'));
      await session.quiet('tag', image('layers'), 'kept/layers:1');
      const ids = await session.quiet('image', 'inspect', '--format', '{{.Id}}', image('layers'), image('configured'));
      const before = await shown(session, image('layers'));
      await session.ok('save', '-o', file, image('layers'), 'kept/layers:1', image('configured'));
      const out = join(dir, 'unpacked');
      mkdirSync(out);
      execFileSync('tar', ['xf', file, '-C', out]);
      const items = JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8')) as { Config: string; RepoTags: string[]; Layers: string[] }[];
      session.note('tags', items.map(({ RepoTags }) => RepoTags.toSorted()).toSorted());
      session.note('configurations', items.map(({ Config }) => Config).toSorted());
      session.note('layers of each', items.map(({ Layers }) => Layers.length).toSorted());
      expect(readdirSync(out)).toEqual(expect.arrayContaining(['blobs', 'index.json', 'manifest.json', 'oci-layout']));
      await session.quiet('rmi', image('layers'), 'kept/layers:1', image('configured'));
      const loaded = await session.engine.docker(['load', '-i', file]);
      session.note(
        'loaded',
        loaded.stdout
          .split('\n')
          .filter((line) => line.startsWith('Loaded'))
          .toSorted(),
      );
      expect(await session.quiet('image', 'inspect', '--format', '{{.Id}}', image('layers'), image('configured'))).toBe(ids);
      expect(await shown(session, 'kept/layers:1')).toBe(before);
      await session.ok('rmi', '--force', 'kept/layers:1');
      await session.quiet('rmi', image('layers'), image('configured'));
    },
  },
  {
    name: 'save of an id has no name; load says the id; gzip on standard input',
    async play(session) {
      const dir = session.directory('save-id');
      const file = join(dir, 'image.tar');
      await session.quiet('pull', image('configured'));
      const id = await session.quiet('image', 'inspect', '--format', '{{.Id}}', image('configured'));
      await session.ok('save', '-o', file, id);
      await session.quiet('rmi', image('configured'));
      execFileSync('gzip', [file]);
      await session.docker(['load', '--quiet'], { stdin: readFileSync(`${file}.gz`) });
      await session.ok('images', '--filter', 'dangling=true', '--format', '{{.Repository}}:{{.Tag}}');
      await session.ok('rmi', id);
    },
  },
  {
    name: 'a name that moves with a load leaves the old image nameless',
    async play(session) {
      const dir = session.directory('save-move');
      const file = join(dir, 'image.tar');
      await session.quiet('pull', image('configured'));
      await session.quiet('tag', image('configured'), 'moving:1');
      await session.ok('save', '-o', file, 'moving:1');
      await session.quiet('tag', busybox, 'moving:1');
      await session.docker(['load', '--quiet', '-i', file]);
      await session.quiet('rmi', 'moving:1', image('configured'));
    },
  },
  {
    name: 'save and load of what is not there',
    async play(session) {
      const dir = session.directory('save-bad');
      await session.docker(['save', '-o', join(dir, 'x.tar'), 'absent:1']);
      writeFileSync(join(dir, 'bad.tar'), Buffer.alloc(10_240));
      const bad = await session.engine.docker(['load', '-i', join(dir, 'bad.tar')]);
      expect(bad.code).toBe(1);
      await session.docker(['load', '-i', join(dir, 'absent.tar')]);
    },
  },
  {
    name: 'import: a root filesystem becomes an image, with changes',
    async play(session) {
      const dir = session.directory('import');
      const file = join(dir, 'root.tar');
      const root = join(dir, 'root');
      mkdirSync(join(root, 'etc'), { recursive: true });
      mkdirSync(join(root, 'sub'));
      writeFileSync(join(root, 'etc/file'), 'text\n', { mode: 0o711 });
      symlinkSync('file', join(root, 'etc/link'));
      execFileSync('tar', ['cf', file, '-C', root, '.']);
      await session.ok(
        'import',
        '--message',
        'made by hand',
        '--change',
        'CMD ["/bin/busybox", "sh"]',
        '--change',
        'ENV A=1 B="two words"',
        '--change',
        'WORKDIR /sub',
        file,
        'imported:1',
      );
      session.note('Config', await configOf(session, 'imported:1'));
      await session.ok('history', '--format', '{{.CreatedBy}}|{{.Comment}}|{{.Size}}', 'imported:1');
      session.note('layers', JSON.parse(await session.quiet('image', 'inspect', '--format', '{{json .RootFS.Layers}}', 'imported:1')).length);
      execFileSync('gzip', [file]);
      await session.docker(['import', '-', 'imported:2'], { stdin: readFileSync(`${file}.gz`) });
      session.note(
        'images',
        (await session.quiet('images', '--format', '{{.Repository}}:{{.Tag}} {{.Size}}', '--filter', 'reference=imported')).split('\n').toSorted(),
      );
      await session.docker(['import', '--change', 'RUN x', `${file}.gz`, 'imported:3']);
      await session.docker(['import', `${file}.gz`, 'not/VALID']);
      await session.quiet('rmi', 'imported:1', 'imported:2');
    },
  },
  {
    name: 'commit: what the container changed, over its image',
    async play(session) {
      const name = session.container('committed-from');
      const script =
        'echo new >/new; rm /etc/shadow; mkdir -p /dir/sub; echo x >/dir/sub/f; chmod 1777 /dir; chown 33:50 /dir/sub/f; ln -s /new /link; ln /new /twin; echo changed >>/etc/passwd';
      await session.ok('run', '--name', name, '--env', 'ADDED=1', '--user', '0', busybox, 'sh', '-c', script);
      await session.ok(
        'commit',
        '--author',
        'A Person',
        '--message',
        'all of it',
        '--change',
        'LABEL made=here',
        '--change',
        'CMD ["cat", "/new"]',
        name,
        'committed:1',
      );
      await session.ok('run', '--rm', 'committed:1');
      await session.ok(
        'run',
        '--rm',
        'committed:1',
        'sh',
        '-c',
        'ls -la / | grep -c new; stat -c "%n %F %a %u:%g %h %s" /new /dir /dir/sub/f /link /twin; ls /etc/shadow; tail -1 /etc/passwd',
      );
      session.note('Config', await configOf(session, 'committed:1'));
      await session.ok('image', 'inspect', '--format', '{{.Author}}|{{.Comment}}|{{len .RootFS.Layers}}', 'committed:1');
      await session.ok('history', '--format', '{{.CreatedBy}}|{{.Comment}}', 'committed:1');
      await session.docker(['commit', 'absent-container']);
      await session.docker(['commit', name, 'not/VALID']);
      await session.quiet('rmi', 'committed:1');
    },
  },
  {
    name: 'commit of a running container pauses it meanwhile, unless told not to',
    async play(session) {
      const name = session.container('committed-running');
      await session.quiet('run', '--detach', '--name', name, busybox, 'sh', '-c', 'echo up >/state; sleep 1000');
      await session.ok('commit', name, 'committed:running');
      await session.ok('commit', '--pause=false', name, 'committed:still');
      await session.ok('inspect', '--format', '{{.State.Status}} {{.State.Paused}}', name);
      await session.ok('run', '--rm', 'committed:running', 'cat', '/state');
      await session.quiet('rmi', 'committed:running', 'committed:still');
    },
  },
  {
    name: 'push: what was pulled keeps its digest; layers that are there, mounts, all tags',
    async play(session) {
      const registry = await startScratchRegistry(session.engine.peers);
      session.onEnd(() => registry.stop());
      const name = `${scratchHost}/made/app`;
      await session.quiet('pull', image('configured'));
      await session.quiet('tag', image('configured'), `${name}:1`);
      const first = await session.engine.docker(['push', `${name}:1`]);
      expect(first.code).toBe(0);
      session.note('first push', sorted(first.stdout.replace(/: (?:Preparing|Waiting|Pushing.*)$/gm, ': …').replace(/size: \d+/, 'size: …')));
      session.note('again', sorted((await session.engine.docker(['push', `${name}:1`])).stdout.replace(/size: \d+/, 'size: …')));
      await session.ok('push', '--quiet', `${name}:1`);
      await session.quiet('tag', `${name}:1`, `${name}:2`);
      const all = await session.engine.docker(['push', '--all-tags', name]);
      session.note(
        'all tags',
        sorted(all.stdout.replace(/size: \d+/g, 'size: …')).filter((line) => /digest|refers/.test(line)),
      );
      await session.docker(['push', `${name}:absent`]);
      await session.docker(['push', '127.0.0.1:5999/nobody/listens']);
      await session.quiet('rmi', `${name}:1`, `${name}:2`, image('configured'));
      await session.quiet('pull', `${name}:2`);
      session.note('id', await session.quiet('image', 'inspect', '--format', '{{.Id}}', `${name}:2`));
      await session.quiet('rmi', `${name}:2`);
    },
  },
  {
    name: 'push of what a commit made, and a pull of it',
    async play(session) {
      const registry = await startScratchRegistry(session.engine.peers);
      session.onEnd(() => registry.stop());
      const container = session.container('pushed-from');
      const name = `${scratchHost}/made/commit:1`;
      await session.quiet('run', '--name', container, busybox, 'sh', '-c', 'seq 100000 >/numbers; rm /etc/shadow');
      await session.quiet('commit', container, name);
      const id = await session.quiet('image', 'inspect', '--format', '{{.Id}}', name);
      expect((await session.engine.docker(['push', name])).code).toBe(0);
      expect(await session.quiet('image', 'inspect', '--format', '{{.Id}}', name)).toBe(id);
      session.note('digests', await session.quiet('image', 'inspect', '--format', '{{len .RepoDigests}} {{len .RepoTags}}', name));
      await session.quiet('rm', container);
      await session.quiet('rmi', name);
      await session.quiet('pull', name);
      expect(await session.quiet('image', 'inspect', '--format', '{{.Id}}', name)).toBe(id);
      await session.ok('run', '--rm', name, 'sh', '-c', 'tail -1 /numbers; test ! -e /etc/shadow');
      const manifest = await session.engine.peers.output(['skopeo', 'inspect', '--raw', '--tls-verify=false', `docker://${name}`]);
      const { layers } = JSON.parse(manifest) as { readonly layers: readonly { readonly mediaType: string }[] };
      session.note(
        'packed',
        layers.map(({ mediaType }) => /gzip$/.test(mediaType)),
      );
      await session.quiet('rmi', name);
    },
  },
];
