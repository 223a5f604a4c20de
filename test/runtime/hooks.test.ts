/** Hooks: where, when and with what each of the six kinds runs, and what a failure of each does (runtime-spec config.md, "POSIX-platform Hooks"; runtime.md, "Lifecycle"). */
import { describe, expect, test } from 'bun:test';
import { chmodSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type TestSpec, useRuntimeWorld } from './lib/index.ts';

const runtime = useRuntimeWorld();
const kinds = ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'] as const;
type Kind = (typeof kinds)[number];

const shell = (script: string) => ({ path: '/bin/sh', args: ['sh', '-c', script] });
/** Each hook writes its name, its state, and where it is, to a file: those inside to one below the root. */
const record = (kind: Kind) => {
  const where = kind === 'startContainer' ? '/seen' : kind === 'createContainer' ? './seen' : 'rootfs/seen';
  return [shell(`{ echo "${kind} $(cat)"; echo "${kind} mnt $(readlink /proc/self/ns/mnt) cwd $(pwd) root $(stat -c %i /)"; } >> ${where}`)];
};

interface Seen {
  readonly kind: string;
  readonly state: Readonly<Record<string, unknown>>;
  readonly mnt: string;
  readonly cwd: string;
}

function seen(rootfs: string): Seen[] {
  const lines = readFileSync(join(rootfs, 'seen'), 'utf8').trim().split('\n');
  return lines.flatMap((line, index) => {
    const [, kind = '', json] = /^(\w+) (\{.*\})$/.exec(line) ?? [];
    const [, mnt = '', cwd = ''] = / mnt (\S+) cwd (\S+) /.exec(lines[index + 1] ?? '') ?? [];
    return json === undefined ? [] : [{ kind, state: JSON.parse(json) as Record<string, unknown>, mnt, cwd }];
  });
}

describe('the six kinds', () => {
  test('run once each, in order, in their namespaces, with the state that they are due', async () => {
    const bundle = runtime.current.bundle((spec) => {
      spec['annotations'] = { 'org.example.key': 'a "value"' };
      spec['hooks'] = Object.fromEntries(kinds.map((kind) => [kind, record(kind)]));
    });
    await using container = await runtime.current.create(bundle);
    const created = seen(bundle.rootfs);
    expect(created.map(({ kind }) => kind)).toEqual(['prestart', 'createRuntime', 'createContainer']);
    await container.start();
    const mnt = await container.output(['readlink', '/proc/1/ns/mnt']);
    await container.delete(['--force']);

    const all = seen(bundle.rootfs);
    expect(all.map(({ kind }) => kind)).toEqual([...kinds]);
    const common = { ociVersion: '1.3.0', id: container.id, bundle: bundle.dir, annotations: { 'org.example.key': 'a "value"' } };
    expect(all.map(({ state }) => state)).toEqual([
      { ...common, status: 'created', pid: container.pid },
      { ...common, status: 'creating', pid: container.pid },
      { ...common, status: 'creating', pid: 1 },
      { ...common, status: 'created', pid: 1 },
      { ...common, status: 'running', pid: container.pid },
      { ...common, status: 'stopped' },
    ]);
    expect(all.map((entry) => entry.mnt === mnt)).toEqual([false, false, true, true, false, false]);
    expect(all.map(({ cwd }) => cwd)).toEqual([bundle.dir, bundle.dir, bundle.rootfs, '/', bundle.dir, bundle.dir]);
  });

  test('run in the foreground runs all of them', async () => {
    const bundle = runtime.current.bundle((spec) => {
      spec.process.args = ['true'];
      spec['hooks'] = Object.fromEntries(kinds.map((kind) => [kind, record(kind)]));
    });
    expect(await runtime.current.run(bundle)).toMatchObject({ code: 0, stderr: '' });
    expect(seen(bundle.rootfs).map(({ kind }) => kind)).toEqual([...kinds]);
  });

  test('poststop runs when the bundle is gone', async () => {
    const file = join(runtime.current.world.work, 'poststop');
    const bundle = runtime.current.bundle((spec) => {
      spec['hooks'] = { poststop: [shell(`cat > ${file}`)] };
    });
    await using container = await runtime.current.running(bundle);
    await container.kill('KILL');
    await container.ended();
    rmSync(bundle.dir, { recursive: true });
    await container.delete();
    expect(readFileSync(file, 'utf8')).toContain('"status":"stopped"');
    rmSync(file);
  });
});

test('environment: its own, or that of the caller on the host, none before the pivot, the process’s inside', async () => {
  const show = (file: string) => [shell(`echo "$ONE-$FOO" >> ${file}`), { ...shell(`echo "$ONE-$FOO" >> ${file}`), env: ['ONE=own', 'PATH=/bin:/usr/bin'] }];
  const bundle = runtime.current.bundle((spec) => {
    spec.process.args = ['true'];
    spec.process.env.push('FOO=process');
    spec['hooks'] = { createRuntime: show('rootfs/host'), createContainer: show('./before'), startContainer: show('/inside') };
  });
  expect((await runtime.current.run(bundle, [], { env: { ONE: 'caller' } })).code).toBe(0);
  const read = (name: string) => readFileSync(join(bundle.rootfs, name), 'utf8');
  expect([read('host'), read('before'), read('inside')]).toEqual(['caller-\nown-\n', '-\nown-\n', '-process\nown-\n']);
});

test('beside joined namespaces too the host’s hooks are in the runtime’s', async () => {
  const reachable = (patch: (spec: TestSpec) => void) => {
    const bundle = runtime.current.bundle(patch);
    for (const dir of [runtime.current.world.work, bundle.dir]) chmodSync(dir, 0o711);
    return bundle;
  };
  await using first = await runtime.current.running(
    reachable((spec) => {
      spec.linux.namespaces.push({ type: 'user' });
      spec.linux['uidMappings'] = [{ containerID: 0, hostID: 100000, size: 65536 }];
      spec.linux['gidMappings'] = [{ containerID: 0, hostID: 100000, size: 65536 }];
    }),
  );
  const links = 'for name in user pid net mnt; do readlink /proc/self/ns/$name; done';
  const bundle = reachable((spec) => {
    spec['hostname'] = '';
    const files = { user: 'user', pid: 'pid', network: 'net' };
    spec.linux.namespaces = [{ type: 'mount' }, ...Object.entries(files).map(([type, file]) => ({ type, path: `/proc/${first.pid}/ns/${file}` }))];
    spec.mounts = spec.mounts.filter(({ type }) => type !== 'sysfs' && type !== 'cgroup' && type !== 'mqueue');
    spec['hooks'] = { createRuntime: [shell(`{ ${links}; pwd; cat; } > rootfs/create`)], poststart: [shell(`{ ${links}; pwd; } > rootfs/start`)] };
  });
  const own = await runtime.current.world.output(['sh', '-c', links]);
  await using second = await runtime.current.running(bundle);
  const [created = '', started = ''] = ['create', 'start'].map((name) => readFileSync(join(bundle.rootfs, name), 'utf8'));
  expect(created).toStartWith(`${own}${bundle.dir}\n`);
  expect(created).toContain(`"pid":${String(second.pid).padStart(10)}`);
  expect(started).toBe(`${own}${bundle.dir}\n`);

  const failed = await runtime.current.run(
    reachable((spec) => {
      spec['hostname'] = '';
      spec.linux.namespaces = [{ type: 'mount' }, { type: 'pid', path: `/proc/${first.pid}/ns/pid` }];
      spec['hooks'] = { createRuntime: [shell('exit 3')] };
    }),
  );
  expect(failed.stderr).toContain('error running createRuntime hook #0: exit status 3, stdout: , stderr: ');
});

describe('a hook that fails', () => {
  for (const kind of ['prestart', 'createRuntime', 'createContainer'] as const)
    test(`${kind}: no container, its words, and poststop`, async () => {
      const bundle = runtime.current.bundle((spec) => {
        spec['hooks'] = { [kind]: [shell('true'), shell('echo said; echo complained >&2; exit 3')], poststop: record('poststop') };
      });
      const failed = await runtime.current.runtime(['create', '--bundle', bundle.dir, 'failing']);
      expect(failed.code).toBe(1);
      expect(failed.stderr).toContain(`error running ${kind} hook #1: exit status 3, stdout: said\\n, stderr: complained\\n`);
      expect(seen(bundle.rootfs).map((entry) => entry.kind)).toEqual(['poststop']);
      expect((await runtime.current.runtime(['state', 'failing'])).stderr).toContain('container does not exist');
    });

  test('startContainer: the process does not run', async () => {
    const bundle = runtime.current.bundle((spec) => {
      spec.process.args = ['touch', '/ran'];
      spec['hooks'] = { startContainer: [shell('kill -TERM $$')], poststop: record('poststop') };
    });
    const failed = await runtime.current.run(bundle);
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain('error running startContainer hook #0: signal: terminated, stdout: , stderr: ');
    expect(existsSync(join(bundle.rootfs, 'ran'))).toBe(false);
    expect(seen(bundle.rootfs).map((entry) => entry.kind)).toEqual(['poststop']);
  });

  test('poststart: start fails and the container ends; run --detach leaves none', async () => {
    const bundle = runtime.current.bundle((spec) => {
      spec['hooks'] = { poststart: [shell('exit 4')], poststop: record('poststop') };
    });
    await using container = await runtime.current.create(bundle);
    const failed = await runtime.current.runtime(['start', container.id]);
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain('error running poststart hook #0: exit status 4, stdout: , stderr: ');
    await container.ended();
    await container.delete();
    expect(seen(bundle.rootfs).map((entry) => entry.kind)).toEqual(['poststop']);

    const detached = await runtime.current.detached(['run', '--detach', '--bundle', bundle.dir, 'failing'], join(bundle.dir, 'log'));
    expect(detached.code).toBe(1);
    expect(detached.stderr).toContain('error running poststart hook #0');
    expect((await runtime.current.runtime(['state', 'failing'])).code).toBe(1);
  });

  test('poststop: a warning, and the next one runs', async () => {
    const bundle = runtime.current.bundle((spec) => {
      spec.process.args = ['true'];
      spec['hooks'] = { poststop: [shell('exit 5'), ...record('poststop')] };
    });
    const finished = await runtime.current.run(bundle);
    expect(finished.code).toBe(0);
    expect(finished.stderr).toContain('warning: error running poststop hook #0: exit status 5');
    expect(seen(bundle.rootfs).map((entry) => entry.kind)).toEqual(['poststop']);
  });

  test('one that is not there, and one that takes too long with what it started', async () => {
    const missing = await runtime.current.run((spec) => {
      spec['hooks'] = { createRuntime: [{ path: '/no/such/program' }] };
    });
    expect(missing.stderr).toContain('error running createRuntime hook #0: fork/exec /no/such/program: no such file or directory');
    const late = await runtime.current.run((spec) => {
      spec['hooks'] = { createRuntime: [{ ...shell('sleep 1000 & wait'), timeout: 1 }] };
    });
    expect(late.code).toBe(1);
    expect(late.stderr).toContain('error running createRuntime hook #0: hook ran past specified timeout of 1.0s');
  });
});

test('a hook gets no descriptor but its three, and what it leaves running holds nothing up', async () => {
  const bundle = runtime.current.bundle((spec) => {
    spec.process.args = ['true'];
    spec['hooks'] = { createContainer: [shell('ls /proc/self/fd > ./fds; sleep 1000 &')] };
  });
  expect((await runtime.current.run(bundle)).code).toBe(0);
  // The fourth is that of the listing itself.
  expect(readFileSync(join(bundle.rootfs, 'fds'), 'utf8').trim().split('\n')).toHaveLength(4);
});
