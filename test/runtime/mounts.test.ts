/** Mounts, devices, masks and the root of containers: what the configuration asks for is read in the kernel's tables and by the container's own eyes. */
import { describe, expect, test } from 'bun:test';
import { chmodSync, existsSync, lstatSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import type { Bundle } from './lib/bundle.ts';
import { type TestSpec, useRuntimeWorld } from './lib/index.ts';

const runtime = useRuntimeWorld();
const identity = [{ containerID: 0, hostID: 0, size: 65536 }];
const shifted = [{ containerID: 0, hostID: 100000, size: 65536 }];

interface MountLine {
  readonly root: string;
  readonly options: readonly string[];
  readonly propagation: readonly string[];
  readonly type: string;
  readonly source: string;
  readonly superOptions: readonly string[];
}

/** What lies uppermost on a mount point (proc_pid_mountinfo(5)). */
function mountOn(mountinfo: string, point: string): MountLine | undefined {
  const fields = mountinfo
    .split('\n')
    .map((line) => line.split(' '))
    .findLast((words) => words[4] === point);
  if (fields === undefined) return undefined;
  const dash = fields.indexOf('-');
  const [type = '', source = '', superOptions = ''] = fields.slice(dash + 1);
  const propagation = fields.slice(6, dash).map((word) => word.replace(/:\d+$/, ''));
  return { root: fields[3] ?? '', options: (fields[5] ?? '').split(','), propagation, type, source, superOptions: superOptions.split(',') };
}

function addMount(spec: TestSpec, destination: string, type: string, source: string, options: readonly string[], more: object = {}): void {
  spec.mounts.push({ destination, type, source, options: [...options], ...more });
}

function addUserNamespace(spec: TestSpec, mappings: readonly object[]): void {
  spec.linux.namespaces.push({ type: 'user' });
  spec.linux['uidMappings'] = mappings;
  spec.linux['gidMappings'] = mappings;
}

/** The mount table of a container with these changes. */
async function mountTable(patch: (spec: TestSpec) => void): Promise<string> {
  return await runtime.current.shell('cat /proc/self/mountinfo', patch);
}

/** A bundle that other users can reach too: ids of a user namespace are such. */
function reachableBundle(patch: (spec: TestSpec) => void): Bundle {
  const bundle = runtime.current.bundle(patch);
  for (const dir of [runtime.current.world.work, bundle.dir]) chmodSync(dir, 0o711);
  return bundle;
}

/** A directory of the host, gone at the end of the test. */
function hostDirectory(): { readonly dir: string } & Disposable {
  const { dir } = runtime.current.bundle();
  const own = join(dir, 'host');
  mkdirSync(own);
  return { dir: own, [Symbol.dispose]: () => rmSync(own, { recursive: true, force: true }) };
}

/** A tmpfs of the host with one below it. */
async function hostMounts(options: string): Promise<{ readonly dir: string } & AsyncDisposable> {
  const { dir } = hostDirectory();
  const { world } = runtime.current;
  await world.output(['mount', '-t', 'tmpfs', 'tmpfs', dir]);
  await world.output(['mkdir', `${dir}/below`]);
  await world.output(['mount', '-t', 'tmpfs', 'tmpfs', `${dir}/below`]);
  await world.output(['mount', '-o', `remount,bind,${options}`, dir]);
  return {
    dir,
    async [Symbol.asyncDispose]() {
      await world.output(['umount', '-R', dir]);
    },
  };
}

describe('binds', () => {
  test('flags that are named are all that a bind has; none keeps those of the source', async () => {
    await using host = await hostMounts('nosuid,nodev');
    const table = await mountTable((spec) => {
      addMount(spec, '/mnt/plain', 'bind', host.dir, ['bind']);
      addMount(spec, '/mnt/ro', 'bind', host.dir, ['bind', 'ro']);
      addMount(spec, '/mnt/tree', 'bind', host.dir, ['rbind', 'rro', 'rnoexec', 'rnoatime']);
    });
    expect(mountOn(table, '/mnt/plain')?.options).toEqual(['rw', 'nosuid', 'nodev', 'relatime']);
    expect(mountOn(table, '/mnt/ro')?.options).toEqual(['ro', 'relatime']);
    expect(mountOn(table, '/mnt/plain/below')).toBeUndefined();
    expect(mountOn(table, '/mnt/tree')?.options).toEqual(['ro', 'nosuid', 'nodev', 'noexec', 'noatime']);
    expect(mountOn(table, '/mnt/tree/below')?.options).toEqual(['ro', 'noexec', 'noatime']);
  });

  test('a user namespace keeps locked flags, and says so where they are to go', async () => {
    await using host = await hostMounts('nosuid,ro');
    const inUserNamespace = (options: readonly string[]) => (spec: TestSpec) => {
      addUserNamespace(spec, identity);
      addMount(spec, '/mnt', 'bind', host.dir, ['rbind', ...options]);
    };
    expect(mountOn(await mountTable(inUserNamespace(['nodev'])), '/mnt')?.options).toEqual(['ro', 'nosuid', 'nodev', 'relatime']);
    const refused = await runtime.current.run(inUserNamespace(['rw', 'suid']));
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(
      `runc run failed: unable to start container process: error during container init: error mounting \\"${host.dir}\\" to rootfs at \\"/mnt\\": failed to set user-requested vfs flags on bind-mount: cannot clear locked flags ro,nosuid: operation not permitted`,
    );
  });

  test('files, missing mount points, and what does not fit', async () => {
    using host = hostDirectory();
    writeFileSync(join(host.dir, 'file'), 'of the host');
    const bundle = runtime.current.bundle((spec) => {
      spec.process.args = ['cat', '/made/for/it'];
      addMount(spec, 'made/for/it', 'bind', '../host-file', ['bind', 'ro']);
    });
    writeFileSync(join(bundle.dir, '../host-file'), 'of the host');
    const finished = await runtime.current.run(bundle);
    expect(finished).toMatchObject({ code: 0, stdout: 'of the host' });
    expect(finished.stderr).toContain('mount destination made/for/it is not absolute');
    expect(lstatSync(join(bundle.rootfs, 'made/for/it')).mode & 0o777).toBe(0o644);

    const missing = await runtime.current.run((spec) => addMount(spec, '/x', 'bind', `${host.dir}/none`, ['bind']));
    expect(missing.stderr).toContain(`error mounting \\"${host.dir}/none\\" to rootfs at \\"/x\\": bind source ${host.dir}/none: no such file or directory`);
    const wrong = await runtime.current.run((spec) => addMount(spec, '/etc/passwd', 'bind', host.dir, ['bind']));
    expect(wrong.stderr).toContain('the source is a directory, the target is not a directory: not a directory');
  });

  test('links as source and target: followed, meant themselves, copied', async () => {
    using host = hostDirectory();
    writeFileSync(join(host.dir, 'file'), 'content');
    symlinkSync('file', join(host.dir, 'link'));
    const bundle = runtime.current.bundle((spec) => {
      spec.process.args = ['sh', '-c', 'readlink /source; cat /target; readlink /copied; readlink /followed; cat /behind'];
      addMount(spec, '/source', 'bind', `${host.dir}/link`, ['bind', 'src-nofollow', 'dest-nofollow']);
      addMount(spec, '/target', 'bind', `${host.dir}/link`, ['bind', 'dest-nofollow']);
      addMount(spec, '/copied', 'bind', `${host.dir}/link`, ['bind', 'copy-symlink']);
      addMount(spec, '/followed', 'bind', `${host.dir}/file`, ['bind']);
    });
    symlinkSync('nowhere', join(bundle.rootfs, 'source'));
    symlinkSync('nowhere', join(bundle.rootfs, 'target'));
    symlinkSync('behind', join(bundle.rootfs, 'followed'));
    expect(await runtime.current.run(bundle)).toMatchObject({ code: 0, stdout: 'file\ncontentfile\nbehind\ncontent' });
  });

  test('over the root itself', async () => {
    const other = runtime.current.bundle();
    writeFileSync(join(other.rootfs, 'other'), 'root');
    const bundle = runtime.current.bundle((spec) => {
      spec.process.args = ['cat', '/other'];
      spec.mounts.unshift({ destination: '/', type: 'bind', source: other.rootfs, options: ['rbind'] });
    });
    expect(await runtime.current.run(bundle)).toMatchObject({ code: 0, stdout: 'root' });
  });

  test('a source that the user namespace may not enter is opened for it', async () => {
    using host = hostDirectory();
    const closed = join(host.dir, 'closed');
    mkdirSync(join(closed, 'in'), { recursive: true });
    writeFileSync(join(closed, 'in/file'), 'seen');
    chmodSync(closed, 0o700);
    const bundle = reachableBundle((spec) => {
      addUserNamespace(spec, shifted);
      spec.process.args = ['cat', '/mnt/file'];
      addMount(spec, '/mnt', 'bind', `${closed}/in`, ['bind', 'ro']);
    });
    mkdirSync(join(bundle.rootfs, 'mnt'), { recursive: true });
    expect(await runtime.current.run(bundle)).toMatchObject({ code: 0, stdout: 'seen' });
  });
});

describe('id-mapped mounts', () => {
  const owners = async (options: readonly string[], patch: (spec: TestSpec) => void, more: object = {}): Promise<string> => {
    await using host = await hostMounts('relatime');
    await runtime.current.world.output(['sh', '-c', `touch ${host.dir}/file ${host.dir}/below/file; chown 3:4 ${host.dir}/file ${host.dir}/below/file`]);
    const bundle = reachableBundle((spec) => {
      patch(spec);
      spec.process.args = ['stat', '-c', '%u:%g', '/mnt/file', '/mnt/below/file'];
      addMount(spec, '/mnt', 'bind', host.dir, ['rbind', ...options], more);
    });
    mkdirSync(join(bundle.rootfs, 'mnt'), { recursive: true });
    const { stdout, stderr } = await runtime.current.run(bundle);
    return `${stdout.trim().replace('\n', ' ')}${stderr}`;
  };
  const own = { uidMappings: [{ containerID: 0, hostID: 1000, size: 10 }], gidMappings: [{ containerID: 0, hostID: 2000, size: 10 }] };
  const plain = () => undefined;
  /** tmpfs maps ids since Linux 6.3; before, that is told. */
  const expectOwners = (seen: string, expected: string) => {
    const [major = 0, minor = 0] = release().split('.').map(Number);
    if (major > 6 || (major === 6 && minor >= 3)) expect(seen).toBe(expected);
    else expect(seen).toContain("(filesystem of type 0x1021994): maybe the filesystem used doesn't support idmap mounts on this kernel?");
  };
  const user = (spec: TestSpec) => addUserNamespace(spec, shifted);

  test('its own mappings, with and without a user namespace', async () => {
    expectOwners(await owners([], plain, own), '1003:2004 3:4');
    expectOwners(await owners(['ridmap'], plain, own), '1003:2004 1003:2004');
    expectOwners(await owners(['idmap=uids=0-1000-10;gids=0-2000-10'], plain), '1003:2004 3:4');
  });
  test("those of the container's user namespace: owners look as on the host", async () => {
    expectOwners(await owners(['idmap'], user), '3:4 65534:65534');
    expectOwners(await owners(['ridmap'], user), '3:4 3:4');
    expect(await owners([], user)).toBe('65534:65534 65534:65534');
  });
  test('those of a user namespace that is joined', async () => {
    await using first = await runtime.current.running(reachableBundle(user));
    const joined = (spec: TestSpec) => {
      spec.linux.namespaces.push({ type: 'user', path: `/proc/${first.pid}/ns/user` });
    };
    expectOwners(await owners(['ridmap'], joined), '3:4 3:4');
  });
  test('a filesystem that cannot: the mount, the filesystem and the remedy are named', async () => {
    const refused = await runtime.current.run((spec) => addMount(spec, '/mnt', 'bind', '/proc', ['bind'], own));
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('error mounting \\"/proc\\" to rootfs at \\"/mnt\\": failed to set MOUNT_ATTR_IDMAP on /proc (filesystem of type 0x9fa0)');
    expect(refused.stderr).toContain('take another one, or leave the id mappings out');
  });
});

describe('new filesystems', () => {
  test('a tmpfs: the mode of its directory, read-only after mounts in it, a copy of what it covers', async () => {
    const bundle = runtime.current.bundle((spec) => {
      spec.process.args = ['sh', '-ec', 'stat -c %a:%n /moded /ro /up /up/dir /up/file; readlink /up/link; cat /up/file; cat /proc/self/mountinfo'];
      addMount(spec, '/moded', 'tmpfs', 'tmpfs', ['nosuid', 'size=64k']);
      addMount(spec, '/ro', 'tmpfs', 'tmpfs', ['ro', 'mode=1711']);
      addMount(spec, '/ro/in/it', 'tmpfs', 'tmpfs', ['noexec']);
      addMount(spec, '/up', 'tmpfs', 'tmpfs', ['tmpcopyup']);
    });
    mkdirSync(join(bundle.rootfs, 'moded'));
    chmodSync(join(bundle.rootfs, 'moded'), 0o712);
    mkdirSync(join(bundle.rootfs, 'up/dir'), { recursive: true });
    chmodSync(join(bundle.rootfs, 'up/dir'), 0o777);
    chmodSync(join(bundle.rootfs, 'up'), 0o750);
    writeFileSync(join(bundle.rootfs, 'up/file'), 'copied\n', { mode: 0o604 });
    symlinkSync('file', join(bundle.rootfs, 'up/link'));
    const { stdout } = await runtime.current.run(bundle);
    expect(stdout.split('\n').slice(0, 7)).toEqual(['712:/moded', '1711:/ro', '750:/up', '777:/up/dir', '604:/up/file', 'file', 'copied']);
    expect(mountOn(stdout, '/moded')).toMatchObject({ options: ['rw', 'nosuid', 'relatime'], type: 'tmpfs' });
    expect(mountOn(stdout, '/moded')?.superOptions).toContain('size=64k');
    expect(mountOn(stdout, '/ro')?.options).toContain('ro');
    expect(mountOn(stdout, '/ro/in/it')?.options).toEqual(['rw', 'noexec', 'relatime']);
  });

  test('flags of the superblock, by words and by bits; remounts', async () => {
    const bundle = runtime.current.bundle((spec) => {
      spec.process.args = ['sh', '-ec', 'stat -c %a /bits; cat /bits/file /proc/self/mountinfo'];
      addMount(spec, '/words', 'tmpfs', 'tmpfs', ['sync', 'dirsync', 'lazytime', 'nosymfollow']);
      addMount(spec, '/bits', 'tmpfs', 'tmpfs', ['sync', 'iversion', 'silent', 'nodev', 'size=1m', 'strictatime', 'shared', 'tmpcopyup']);
      addMount(spec, '/again', 'tmpfs', 'tmpfs', ['size=1m']);
      addMount(spec, '/again', 'tmpfs', 'tmpfs', ['remount', 'size=2m', 'noexec']);
      addMount(spec, '/again', 'bind', 'none', ['remount', 'bind', 'nosuid']);
    });
    mkdirSync(join(bundle.rootfs, 'bits'));
    chmodSync(join(bundle.rootfs, 'bits'), 0o751);
    writeFileSync(join(bundle.rootfs, 'bits/file'), 'copied\n');
    const { stdout: table } = await runtime.current.run(bundle);
    expect(table).toStartWith('751\ncopied\n');
    expect(mountOn(table, '/words')?.superOptions).toEqual(expect.arrayContaining(['sync', 'dirsync', 'lazytime']));
    expect(mountOn(table, '/words')?.options).toContain('nosymfollow');
    expect(mountOn(table, '/bits')).toMatchObject({
      options: ['rw', 'nodev'],
      propagation: ['shared'],
      superOptions: expect.arrayContaining(['sync', 'size=1024k']),
    });
    expect(mountOn(table, '/again')).toMatchObject({ options: ['rw', 'nosuid', 'relatime'], superOptions: expect.arrayContaining(['size=2048k']) });
  });

  test('an overlay whose options are longer than one parameter of the new calls', async () => {
    using host = hostDirectory();
    const lower = join(host.dir, 'l'.repeat(200));
    for (const dir of [lower, join(host.dir, 'other')]) mkdirSync(dir);
    writeFileSync(join(lower, 'file'), 'of the lower one');
    const finished = await runtime.current.run((spec) => {
      spec.process.args = ['cat', '/mnt/file'];
      addMount(spec, '/mnt', 'overlay', 'overlay', [`lowerdir=${lower}:${host.dir}/other`, 'ro']);
    });
    expect(finished).toMatchObject({ code: 0, stdout: 'of the lower one' });
  });

  test('what a filesystem refuses is named before anything runs', async () => {
    const refused = await runtime.current.run((spec) => addMount(spec, '/mnt', 'tmpfs', 'tmpfs', ['size=banana']));
    expect(refused.stderr).toContain('error mounting \\"tmpfs\\" to rootfs at \\"/mnt\\": new tmpfs with size=banana');
    const unknown = await runtime.current.run((spec) => addMount(spec, '/mnt', 'nofs', 'x', []));
    expect(unknown.stderr).toContain('filesystem type nofs: no such device');
  });

  test('cgroups are shown read-only where that is asked for', async () => {
    const script = 'for dir in $(grep " /sys/fs/cgroup" /proc/self/mounts | cut -d" " -f2); do mkdir $dir/made 2>/dev/null && echo made; done; echo end';
    expect(await runtime.current.shell(script)).toBe('end');
    const withoutNamespace = (spec: TestSpec) => {
      spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== 'cgroup');
    };
    expect(await runtime.current.shell(script, withoutNamespace)).toBe('end');
  });
});

describe('propagation', () => {
  for (const [name, expected] of [
    ['', []],
    ['private', []],
    ['rprivate', []],
    ['shared', ['shared']],
    ['rshared', ['shared']],
    ['unbindable', ['unbindable']],
  ] as const)
    test(`rootfsPropagation=${name}`, async () => {
      const table = await mountTable((spec) => {
        if (name !== '') spec.linux['rootfsPropagation'] = name;
      });
      expect(mountOn(table, '/')?.propagation).toEqual([...expected]);
    });

  test('of mounts: each option, and several in turn', async () => {
    const options = { shared: ['shared'], rshared: ['shared'], private: [], unbindable: ['unbindable'], runbindable: ['unbindable'], 'shared,private': [] };
    const table = await mountTable((spec) => {
      for (const name of Object.keys(options)) addMount(spec, `/p/${name}`, 'tmpfs', 'tmpfs', name.split(','));
    });
    for (const [name, expected] of Object.entries(options)) expect(mountOn(table, `/p/${name}`)?.propagation).toEqual(expected);
  });

  test('slaves of a shared mount of the host see what it gets; it never sees theirs', async () => {
    await using host = await hostMounts('relatime');
    const { world } = runtime.current;
    await world.output(['mount', '--make-rshared', host.dir]);
    await using container = await runtime.current.running((spec) => addMount(spec, '/mnt', 'bind', host.dir, ['rbind', 'rslave']));
    expect(mountOn(container.proc('mountinfo'), '/mnt')?.propagation).toEqual(['master']);
    await world.output(['mkdir', `${host.dir}/late`]);
    await world.output(['mount', '-t', 'tmpfs', 'late', `${host.dir}/late`]);
    expect(mountOn(container.proc('mountinfo'), '/mnt/late')?.source).toBe('late');
  });
});

describe('the root', () => {
  test('masks once, directories by one filesystem; read-only paths keep other flags', async () => {
    const bundle = runtime.current.bundle((spec) => {
      spec.process.args = ['sh', '-c', 'cat /secret; ls -A /hidden /hidden2; stat -c %d /hidden /hidden2; touch /hidden/x; cat /proc/self/mountinfo'];
      addMount(spec, '/flags', 'tmpfs', 'tmpfs', ['nosuid', 'nodev', 'noexec']);
      spec.linux['maskedPaths'] = ['/secret', '/hidden', '/hidden/', '/hidden2', '/not/there'];
      spec.linux['readonlyPaths'] = ['/flags', '/not/there'];
    });
    writeFileSync(join(bundle.rootfs, 'secret'), 'forbidden');
    for (const name of ['hidden', 'hidden2']) {
      mkdirSync(join(bundle.rootfs, name));
      writeFileSync(join(bundle.rootfs, name, 'file'), '');
    }
    const { stdout, stderr } = await runtime.current.run(bundle);
    expect(stdout).toMatch(/^\/hidden:\n\n\/hidden2:\n(\d+)\n\1\n/);
    expect(stderr).toContain('Read-only file system');
    expect(stdout.split('\n').filter((line) => line.includes(' /hidden '))).toHaveLength(1);
    expect(mountOn(stdout, '/flags')?.options).toEqual(['ro', 'nosuid', 'nodev', 'noexec', 'relatime']);
  });

  test('read-only, with the mount points and the working directory that it needs', async () => {
    const { code, stdout, stderr } = await runtime.current.run((spec) => {
      spec.root.readonly = true;
      spec.process.cwd = '/made/for/work';
      spec.process.args = ['sh', '-c', 'pwd; touch x'];
    });
    expect([code, stdout]).toEqual([1, '/made/for/work\n']);
    expect(stderr).toContain('Read-only file system');
  });

  test('without pivot_root no procfs of the host is left to mount another one by', async () => {
    const { stdout, code } = await runtime.current.run(
      (spec) => {
        spec.process.args = ['sh', '-c', 'grep -c " - proc " /proc/self/mountinfo; unshare -mrpf sh -c "mount -t proc none /proc"'];
        spec.process['capabilities'] = undefined;
      },
      ['--no-pivot'],
    );
    // Its own, its read-only parts and its masked files.
    expect(Number(stdout.trim())).toBeGreaterThan(0);
    expect(code).not.toBe(0);
  });

  test('a label where SELinux is not', async () => {
    const refused = await runtime.current.run((spec) => {
      spec.linux['mountLabel'] = 'system_u:object_r:x_t:s0';
    });
    if (existsSync('/sys/fs/selinux/enforce')) return;
    expect(refused.stderr).toContain('linux.mountLabel cannot be honoured: SELinux is not enabled on this machine');
  });
});

describe('devices', () => {
  const script =
    'stat -c "%n %F %a %u:%g %t:%T" /dev/null /dev/given /dev/fifo; for link in ptmx fd stdin; do readlink /dev/$link; done; echo works > /dev/null';
  const given = (spec: TestSpec) => {
    spec.linux['devices'] = [
      { path: '/dev/given', type: 'c', major: 1, minor: 5, fileMode: 0o640, uid: 10, gid: 11 },
      { path: '/dev/fifo', type: 'p', fileMode: 0o604 },
      { path: '/dev/ptmx', type: 'c', major: 5, minor: 2 },
    ];
  };
  const nodes = ['/dev/null character special file 666 0:0 1:3', '/dev/given character special file 640 10:11 1:5', '/dev/fifo fifo 604 0:0 0:0'];
  const links = ['pts/ptmx', '/proc/self/fd', '/proc/self/fd/0'];

  test('modes, owners, types, and the links', async () => {
    expect((await runtime.current.shell(script, given)).split('\n')).toEqual([...nodes, ...links]);
  });
  test('the same in a user namespace, where they are bound and carry no rights of files', async () => {
    const inside = await runtime.current.shell(`${script}; cat /proc/self/mountinfo`, (spec) => {
      addUserNamespace(spec, identity);
      given(spec);
    });
    expect(inside.split('\n').slice(0, 6)).toEqual([...nodes, ...links]);
    expect(mountOn(inside, '/dev/given')?.options).toEqual(expect.arrayContaining(['nosuid', 'noexec']));
    expect(mountOn(inside, '/dev/null')?.options).toEqual(expect.arrayContaining(['nosuid', 'noexec']));
  });
  test('owners are of the container', async () => {
    const bundle = reachableBundle((spec) => {
      addUserNamespace(spec, shifted);
      given(spec);
      spec.process.args = ['stat', '-c', '%a:%u:%g', '/dev/given'];
    });
    expect(await runtime.current.run(bundle)).toMatchObject({ code: 0, stdout: '640:10:11\n' });
  });
  test("stdin from the host's null device is the container's", async () => {
    const { stdout } = await runtime.current.run((spec) => {
      spec.process.args = ['sh', '-c', 'stat -L -c %d /proc/self/fd/0 /dev/null'];
    });
    const [stdin, own] = stdout.trim().split('\n');
    expect(stdin).toBe(own ?? '-');
  });
  test('a link in place of /dev is refused', async () => {
    const bundle = runtime.current.bundle((spec) => {
      spec.mounts = spec.mounts.filter(({ destination }) => !destination.startsWith('/dev'));
    });
    using host = hostDirectory();
    rmSync(join(bundle.rootfs, 'dev'), { recursive: true, force: true });
    symlinkSync(host.dir, join(bundle.rootfs, 'dev'));
    const refused = await runtime.current.run(bundle);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('/dev/null lies behind a symbolic link of the root filesystem: too many levels of symbolic links');
    expect(existsSync(join(host.dir, 'null'))).toBe(false);
  });
  test('what is there already and something else is an error', async () => {
    const bundle = runtime.current.bundle((spec) => {
      spec.linux['devices'] = [{ path: '/etc/passwd', type: 'c', major: 1, minor: 3 }];
    });
    expect((await runtime.current.run(bundle)).stderr).toContain('/etc/passwd exists and is something else');
    expect(statSync(join(bundle.rootfs, 'etc/passwd')).isFile()).toBe(true);
  });
});

describe('mounts of a running container', () => {
  test('are added and removed', async () => {
    using host = hostDirectory();
    writeFileSync(join(host.dir, 'file'), 'of the host');
    await using container = await runtime.current.running((spec) => {
      addUserNamespace(spec, identity);
      addMount(spec, '/foo', 'tmpfs', 'tmpfs', ['rw']);
    });
    const list = join(host.dir, 'mounts.json');
    const mounts = [
      { destination: '/foo/bar', type: 'bind', source: host.dir, options: ['bind', 'ro'] },
      { destination: '/foo/file', type: 'bind', source: `${host.dir}/file`, options: ['bind'] },
      { destination: '/foo/tmpfs', type: 'tmpfs', source: 'tmpfs', options: ['size=64k', 'ro'] },
    ];
    writeFileSync(list, JSON.stringify(mounts));
    const before = readFileSync(`/proc/${process.pid}/mountinfo`, 'utf8');
    await runtime.current.output(['mounts', 'add', container.id, list]);
    expect(await container.output(['cat', '/foo/bar/file', '/foo/file'])).toBe('of the hostof the host');
    const table = container.proc('mountinfo');
    expect(mountOn(table, '/foo/bar')).toMatchObject({ options: ['ro', 'relatime'], propagation: [] });
    expect(mountOn(table, '/foo/tmpfs')).toMatchObject({ type: 'tmpfs', options: ['ro', 'relatime'] });
    await runtime.current.output(['mounts', 'remove', container.id, list]);
    expect(['/foo/bar', '/foo/file', '/foo/tmpfs'].map((point) => mountOn(container.proc('mountinfo'), point))).toEqual([undefined, undefined, undefined]);
    expect(readFileSync(`/proc/${process.pid}/mountinfo`, 'utf8')).toBe(before);

    const again = await runtime.current.runtime(['mounts', 'remove', container.id, list]);
    expect(again.code).toBe(1);
    expect(again.stderr).toContain('umount of /foo/tmpfs: it is not a mount point: invalid argument');
  });

  test('links that the container lays lead nowhere but into it', async () => {
    using host = hostDirectory();
    await using container = await runtime.current.running();
    await container.output(['ln', '-s', host.dir, '/trap']);
    await container.output(['ln', '-s', '/proc/1', '/inproc']);
    const add = async (destination: string) =>
      await runtime.current.runtime(['mounts', 'add', container.id, '-'], {
        stdin: JSON.stringify([{ destination, type: 'tmpfs', source: 'trapped' }]),
      });
    expect(await add('/trap/in')).toMatchObject({ code: 0 });
    expect(mountOn(container.proc('mountinfo'), `${host.dir}/in`)?.source).toBe('trapped');
    expect(existsSync(join(host.dir, 'in'))).toBe(false);
    expect((await add('/inproc/attr')).stderr).toContain('leads into /proc by a symbolic link');
  });

  test('not of one that has ended', async () => {
    await using container = await runtime.current.running();
    await container.kill();
    await container.ended();
    expect((await runtime.current.runtime(['mounts', 'add', container.id, '/dev/null'])).stderr).toContain('mounts');
  });
});
