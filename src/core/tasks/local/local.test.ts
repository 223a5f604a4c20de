import { afterAll, describe, expect, test } from 'bun:test';
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { removeDirectory } from '../../../base/index.ts';
import { ZygoteLauncher } from '../../../kernel/index.ts';
import type { EventBus } from '../../events/events.ts';
import { createLocalEventBus } from '../../events/local/event-bus.ts';
import { initPath } from '../../fixtures.ts';
import { removeTestCgroup, hostShellTask as shellTask, type TaskPlace, tasksConformance } from '../conformance.ts';
import { LocalTaskManager } from './manager.ts';
import { LocalRootFiles } from './root-files.ts';

interface LocalPlace extends TaskPlace {
  readonly tasks: LocalTaskManager;
  readonly execRoot: string;
  /** The same directories with a daemon that has just begun. */
  restart(): LocalPlace;
}

function openPlace(execRoot = mkdtempSync(path.join(tmpdir(), 'strake-tasks-'))): LocalPlace {
  const launcher = new ZygoteLauncher({ initPath, socketPath: path.join(execRoot, `zygote-${process.hrtime.bigint()}.sock`) });
  const events = createLocalEventBus({ now: () => new Date() });
  const seen: string[] = [];
  const bus: EventBus = {
    subscribe: (options) => events.subscribe(options),
    publish(topic, payload) {
      seen.push(`${topic} ${String(payload['containerId'])}`);
      events.publish(topic, payload);
    },
  };
  const tasks = new LocalTaskManager({ execRoot, launcher, events: bus });
  return {
    tasks,
    execRoot,
    events: () => seen,
    restart: () => openPlace(execRoot),
    async [Symbol.asyncDispose]() {
      for (const task of tasks.list()) {
        await task.kill(9).catch(() => undefined);
        await task.wait();
        await task.delete();
      }
      await launcher[Symbol.asyncDispose]();
      // What was discarded in it may be on its way out still.
      await removeDirectory(execRoot);
    },
  };
}

/** A dead process may wait for its reaper. */
function isRunning(pid: number): boolean {
  return existsSync(`/proc/${pid}/stat`) && !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
}

afterAll(removeTestCgroup);

const otherRuntime = {
  path: process.env['STRAKE_TEST_RUNTIME'] ?? path.join(path.dirname(initPath), 'strake-runc'),
  root: mkdtempSync(path.join(tmpdir(), 'strake-runtime-')),
};
afterAll(() => rmSync(otherRuntime.root, { recursive: true, force: true }));

/** What is in the task directories, that more than its owner has to do with: mode and group. Not what is mounted there. */
function openToOthers(tasks: string): readonly string[] {
  const inside = readdirSync(tasks).flatMap((id) => [id, ...readdirSync(path.join(tasks, id)).map((name) => `${id}/${name}`)]);
  return ['.', ...inside.filter((name) => !name.endsWith('/rootfs'))].flatMap((name) => {
    const { mode, gid } = lstatSync(path.join(tasks, name));
    return (mode & 0o077) === 0 ? [] : [`${name} ${(mode & 0o7777).toString(8)} ${gid}`];
  });
}

describe('tasks that an OCI runtime’s command makes', () => {
  tasksConformance(async () => openPlace(), {
    runtime: otherRuntime,
    missing: {
      create:
        'Internal: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: "no-such-command": executable file not found in $PATH',
      exec: 'Internal: OCI runtime exec failed: exec failed: unable to start container process: exec: "absent": executable file not found in $PATH',
    },
  });
});

describe('local tasks', () => {
  tasksConformance(async () => openPlace());

  test('a start that was asked for with the creation and fails is thrown by the start, and leaves nothing', async () => {
    await using place = openPlace();
    const file = path.join(place.execRoot, 'no-interpreter');
    writeFileSync(file, '#!/nonexistent\n', { mode: 0o755 });
    const { spec, ...task } = shellTask('fails', '', { startsAtOnce: true });
    const created = await place.tasks.create({ ...task, spec: { ...spec, process: { ...spec.process, cwd: '/', args: [file] } } });
    await expect(created.start()).rejects.toThrow('no such file or directory');
    await created.delete();
    expect([place.tasks.list(), place.events().filter((one) => one.startsWith('/tasks/start'))]).toEqual([[], []]);
  });

  test('a new daemon finds what runs, what has ended, what was never started, and what lost its monitor', async () => {
    await using before = openPlace();
    const log = path.join(before.execRoot, 'log.json');
    const options = {
      stdio: { terminal: false, openStdin: false, stdinOnce: false, log: { path: log, driver: 'json-file' as const, maxSizeBytes: 0, maxFiles: 1 } },
    };
    for (const [id, script] of [
      ['runs', 'sleep 1000'],
      ['ended', 'exit 21'],
      ['paused', 'sleep 1000'],
      ['orphan', 'sleep 1000'],
    ] as const) {
      const task = await before.tasks.create(shellTask(id, script, id === 'runs' ? options : {}));
      await task.start();
    }
    await before.tasks.get('ended').wait();
    await before.tasks.get('paused').pause();
    await before.tasks.create(shellTask('created', 'true'));
    const pid = before.tasks.get('runs').state().pid;
    const orphan = before.tasks.get('orphan').state().pid;
    const monitor = Number(/^\d+ \d+ (\d+)\n$/.exec(readFileSync(path.join(before.execRoot, 'tasks/orphan/pid'), 'utf8'))?.[1]);
    process.kill(monitor, 'SIGKILL');
    expect(await before.tasks.get('orphan').wait()).toMatchObject({ code: 137, signal: 9 });
    expect(isRunning(orphan)).toBe(false);

    await using one = before.restart();
    await one.tasks.recoverTask('ended');
    await one.tasks.recoverTask('never');
    expect(one.tasks.list().map(({ id }) => id)).toEqual(['ended']);
    // Killed while it wrote down what it was about to make.
    const torn = path.join(before.execRoot, 'tasks/torn');
    mkdirSync(torn);
    writeFileSync(path.join(torn, 'task.json.new'), '{"id":"to');
    await using after = before.restart();
    await after.tasks.recover();
    expect(existsSync(torn)).toBe(false);
    expect(
      after.tasks
        .list()
        .map(({ id }) => id)
        .toSorted(),
    ).toEqual(['ended', 'orphan', 'paused', 'runs']);
    expect(after.tasks.get('runs').state()).toEqual({ status: 'running', pid });
    expect(after.tasks.get('paused').state().status).toBe('paused');
    expect((await after.tasks.get('ended').wait()).code).toBe(21);
    const process_ = { cwd: '/', args: ['true'], env: ['PATH=/usr/bin:/bin'], user: { uid: 0, gid: 0 } };
    const exec = await after.tasks.get('runs').exec({ execId: 'after', process: process_, stdio: options.stdio });
    await exec.start();
    expect((await exec.wait()).code).toBe(0);
    await after.tasks.get('paused').resume();
    for (const id of ['runs', 'paused']) await after.tasks.get(id).kill(15);
    for (const id of ['runs', 'paused'])
      await after.tasks
        .get(id)
        .kill(9)
        .catch(() => undefined);
    for (const task of after.tasks.list()) {
      await task.wait();
      await task.delete();
    }
    // Their files go in the background.
    expect(readdirSync(path.join(before.execRoot, 'tasks')).filter((name) => !name.startsWith('.removed-'))).toEqual([]);
  });

  test('a root that was volatile is mounted again', async () => {
    await using place = openPlace();
    const [upper, work] = ['upper', 'work'].map((name) => path.join(place.execRoot, name)) as [string, string];
    for (const dir of [upper, work]) mkdirSync(dir);
    // Debian's /usr has all that a shell needs.
    const rootfs = { type: 'overlay', lowers: ['/usr'], upper, work, readonly: false } as const;
    for (const volatileRoot of [true, true, false]) {
      const task = await place.tasks.create(shellTask('again', `grep -q '^overlay / .*volatile' /proc/mounts && exit 5`, { rootfs, volatileRoot }));
      await task.start();
      expect((await task.wait()).code).toBe(volatileRoot ? 5 : 1);
      await task.delete();
    }
  });

  test.each([
    ['ours', undefined],
    ['a command', otherRuntime],
  ] as const)(
    'in a user namespace, layers of the host’s root are the container’s root’s; what it writes is the host’s mapped one’s: %s',
    async (_name, runtime) => {
      await using place = openPlace();
      const [upper, work] = ['upper', 'work'].map((name) => path.join(place.execRoot, name)) as [string, string];
      for (const dir of [upper, work]) mkdirSync(dir);
      chownSync(upper, 100_000, 100_000);
      // The init is nobody on the host when it mounts its root.
      chmodSync(place.execRoot, 0o711);
      const map = '0 100000 65536\n';
      const rootfs = { type: 'overlay', lowers: ['/usr'], upper, work, readonly: false, idMap: { uids: map, gids: map } } as const;
      const mappings = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
      const task = shellTask(
        'mapped',
        '[ "$(stat -c %u:%g / /bin/sh /lib | tr "\\n" " ")" = "0:0 0:0 0:0 " ] || exit 3; chown -h 7:8 /bin/sh && echo made > /made && umask > /umask',
        { rootfs },
      );
      const { linux, root, ...spec } = task.spec;
      const namespaces = [...(linux?.namespaces ?? []), { type: 'user' as const }];
      const mapped = await place.tasks.create({
        ...task,
        ...(runtime === undefined ? {} : { runtime }),
        spec: {
          ...spec,
          root: { path: root?.path ?? '', readonly: false },
          process: { ...spec.process, cwd: '/', capabilities: { bounding: ['CAP_CHOWN'], effective: ['CAP_CHOWN'], permitted: ['CAP_CHOWN'] } },
          linux: { ...linux, namespaces, uidMappings: mappings, gidMappings: mappings },
        },
      });
      if (runtime !== undefined) expect(openToOthers(path.join(place.execRoot, 'tasks'))).toEqual(['. 711 0', 'mapped 710 100000', 'mapped/runtime.pid 644 0']);
      await mapped.start();
      expect((await mapped.wait()).code).toBe(0);
      await mapped.delete();
      const owner = (file: string) => [lstatSync(file).uid, lstatSync(file).gid];
      expect([owner(path.join(upper, 'made')), owner(path.join(upper, 'bin/sh')), owner('/usr/bin/sh')]).toEqual([
        [100_000, 100_000],
        [100_007, 100_008],
        [0, 0],
      ]);
      expect(readFileSync(path.join(upper, 'umask'), 'utf8')).toBe('0022\n');
    },
  );

  test('files of a root are read inside it; what is not a file is refused', async () => {
    await using place = openPlace();
    const launcher = new ZygoteLauncher({ initPath, socketPath: path.join(place.execRoot, 'files.sock') });
    try {
      const files = new LocalRootFiles({ launcher, mountpoint: path.join(place.execRoot, 'root') });
      const mount = { type: 'bind', source: '/etc', readonly: true } as const;
      const [passwd, absent] = await files.read({ kind: 'mount', mount }, ['/passwd', '/absent'], 1 << 20);
      expect(passwd?.toString()).toBe(readFileSync('/etc/passwd', 'utf8'));
      expect(absent).toBe(undefined);
      await expect(files.read({ kind: 'mount', mount: { ...mount, source: '/dev' } }, ['/null'], 1 << 20)).rejects.toMatchObject({ code: 'InvalidArgument' });
      await expect(files.read({ kind: 'mount', mount }, ['/passwd'], 3)).rejects.toMatchObject({ code: 'OutOfRange' });
    } finally {
      await launcher[Symbol.asyncDispose]();
    }
  });
});
