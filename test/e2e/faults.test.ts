/**
 * What breaks below the engine: a full disk, a damaged database, damaged blobs. Errors name what is wrong, what runs stays, and everything can be removed.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { isDeepStrictEqual } from 'node:util';
import { startRegistry } from '../fixtures/registry.ts';
import { Engine } from '../lib/engine.ts';
import { PeerWorld } from '../lib/peer-world.ts';
import type { Finished } from '../lib/process.ts';
import { until } from '../lib/until.ts';
import { busybox, image } from './steps/step.ts';

const setupMs = 600_000;
const caseMs = 120_000;
const layers = image('layers');

async function docker(engine: Engine, ...argv: readonly string[]): Promise<string> {
  const finished = await engine.docker(argv);
  if (finished.code !== 0) throw new Error(`docker ${argv.join(' ')}: exit ${finished.code}: ${finished.stderr}`);
  return finished.stdout.trim();
}

describe('a full disk', () => {
  let peers: PeerWorld;
  let engine: Engine;

  /** A file system of 32 MiB as the data root, on a loop device, in the world alone. */
  beforeAll(async () => {
    peers = await PeerWorld.start();
    await startRegistry(peers);
    const dataRoot = join(peers.world.work, 'data');
    const device = join(peers.world.work, 'data.ext4');
    mkdirSync(dataRoot);
    writeFileSync(device, '');
    truncateSync(device, 32 << 20);
    await peers.world.output(['mkfs.ext4', '-q', '-m', '0', device]);
    await peers.world.output(['mount', '-o', 'loop', device, dataRoot]);
    engine = await Engine.join(peers, []);
  }, setupMs);

  afterAll(async () => {
    await engine?.[Symbol.asyncDispose]();
    await peers?.[Symbol.asyncDispose]();
  }, setupMs);

  /** Fills it to the last page, from a container, and leaves that container behind. */
  async function fill(): Promise<void> {
    const filled = await engine.docker(['run', '--name', 'full', busybox, 'sh', '-c', 'dd if=/dev/zero of=/fill bs=4k; dd if=/dev/zero of=/rest bs=1']);
    expect(filled.stderr).toContain('No space left on device');
  }

  function expectFull(finished: Finished): void {
    expect(finished.code).not.toBe(0);
    expect(finished.stderr).toMatch(/no space left on device|disk is full/i);
  }

  test(
    'pull, create and volumes say so; rm, rmi and prune work; then all is as before',
    async () => {
      await docker(engine, 'pull', '-q', busybox);
      await docker(engine, 'run', '-d', '--name', 'runs', busybox, 'sleep', '1000');
      await fill();
      expectFull(await engine.docker(['pull', layers]));
      // To make a container may take no room; to start one does.
      expectFull(await engine.docker(['run', '--rm', '--name', 'another', busybox, 'true']));
      await docker(engine, 'rm', '-f', 'another');
      // What runs goes on, and can be spoken to.
      expect(await docker(engine, 'exec', 'runs', 'echo', 'here')).toBe('here');
      expect(await docker(engine, 'ps', '-a', '--format', '{{.Names}}')).toBe('full\nruns');
      await docker(engine, 'rm', '-f', 'runs');
      await docker(engine, 'rm', 'full');
      await docker(engine, 'pull', '-q', layers);
      expect(await docker(engine, 'run', '--rm', layers, 'cat', '/cake/kept')).toBe('kept');
      await fill();
      await docker(engine, 'rmi', layers);
      await docker(engine, 'rm', 'full');
      await docker(engine, 'image', 'prune', '-af');
      expect(await docker(engine, 'images', '-q')).toBe('');
    },
    caseMs,
  );

  /** Files and directories of what is stored. Not the room on the disk: the database keeps what its journal has once needed. What goes just now may be gone in the middle. */
  const stored = async () =>
    (await peers.world.run(['find', join(engine.dataRoot, 'content'), join(engine.dataRoot, 'snapshots'), '-printf', '%y %p\n'])).stdout.split('\n').sort();

  /** Leaves so much room, runs, and gives the room back. */
  async function withRoom<T>(kib: number, run: () => Promise<T>): Promise<T> {
    const ballast = join(engine.dataRoot, 'ballast');
    await peers.world.run(['dd', 'if=/dev/zero', `of=${ballast}`, 'bs=4k']);
    await peers.world.output(['truncate', '-s', `-${kib}K`, ballast]);
    try {
      return await run();
    } finally {
      await peers.world.output(['rm', ballast]);
    }
  }

  /** What takes room in the data root, and how it is taken back. */
  interface Filling {
    readonly name: string;
    before?(): Promise<unknown>;
    readonly argv: () => readonly string[];
    /** The image that comes of it. */
    readonly makes: string;
    /** Tells whether that is whole. */
    check(): Promise<unknown>;
    after?(): Promise<unknown>;
  }

  const archive = (name: string) => join(peers.world.work, name);
  const inImage = async (name: string, ...argv: readonly string[]) => await docker(engine, 'run', '--rm', '--network', 'none', name, ...argv);
  const fillings: readonly Filling[] = [
    {
      name: 'pull',
      argv: () => ['pull', '-q', layers],
      makes: layers,
      check: async () => expect(await inImage(layers, 'cat', '/cake/kept')).toBe('kept'),
    },
    {
      name: 'load',
      async before() {
        await docker(engine, 'pull', '-q', layers);
        await docker(engine, 'save', '-o', archive('layers.tar'), layers);
        await docker(engine, 'rmi', layers);
      },
      argv: () => ['load', '-q', '-i', archive('layers.tar')],
      makes: layers,
      check: async () => expect(await inImage(layers, 'cat', '/cake/kept')).toBe('kept'),
    },
    {
      name: 'import',
      async before() {
        await docker(engine, 'create', '--name', 'source', busybox);
        await docker(engine, 'export', '-o', archive('root.tar'), 'source');
        await docker(engine, 'rm', 'source');
      },
      argv: () => ['import', archive('root.tar'), 'made:here'],
      makes: 'made:here',
      check: async () => expect(await inImage('made:here', 'echo', 'whole')).toBe('whole'),
    },
    {
      name: 'commit',
      before: async () =>
        await docker(
          engine,
          'run',
          '--name',
          'changed',
          '--network',
          'none',
          busybox,
          'sh',
          '-c',
          'dd if=/dev/urandom of=/large bs=64k count=12; sha256sum /large >/sum',
        ),
      argv: () => ['commit', 'changed', 'made:here'],
      makes: 'made:here',
      check: async () => expect(await inImage('made:here', 'sha256sum', '-c', '/sum')).toBe('/large: OK'),
      after: async () => await docker(engine, 'rm', 'changed'),
    },
  ];

  test.each(fillings)(
    'wherever in $name the room ends: it says so, leaves nothing, and the daemon goes on',
    async ({ before, argv, makes, check, after }) => {
      await docker(engine, 'pull', '-q', busybox);
      await before?.();
      await docker(engine, 'image', 'prune', '-f');
      await engine.deletionsDone();
      const first = await stored();
      const containers = await docker(engine, 'ps', '-aq');
      const ends: string[] = [];
      for (const kib of [0, 4, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192]) {
        const finished = await withRoom(kib, async () => {
          const filled = await engine.docker(argv());
          expect(await inImage(busybox, 'echo', 'on').catch((error: unknown) => String(error))).toMatch(/^on$|no space left on device|disk is full/i);
          // A removal works on a full disk too.
          if (filled.code === 0) await docker(engine, 'rmi', makes);
          await docker(engine, 'image', 'prune', '-f');
          return filled;
        });
        if (finished.code !== 0) expectFull(finished);
        ends.push(finished.code === 0 ? 'whole' : 'full');
        expect(await docker(engine, 'images', '--format', '{{.Repository}}')).toBe(busybox);
        // A start that met the full disk leaves its container.
        for (const id of (await docker(engine, 'ps', '-aq')).split('\n')) if (!containers.includes(id)) await docker(engine, 'rm', id);
        // What could not even be written down as removed is removed once there is room.
        await docker(engine, 'image', 'prune', '-f');
        expect(await peers.world.output(['ls', join(engine.dataRoot, 'content/ingest')])).toBe('');
      }
      // Both ends of the range were seen.
      expect([ends[0], ends.at(-1), new Set(ends).size]).toEqual(['full', 'whole', 2]);
      await docker(engine, ...argv());
      await check();
      await docker(engine, 'rmi', makes);
      await until('what is stored to be what was', async () => isDeepStrictEqual(await stored(), first)).catch(async () =>
        expect(await stored()).toEqual(first),
      );
      await after?.();
    },
    caseMs,
  );

  test(
    'save takes no room of the engine’s, and what the client’s disk cannot hold leaves no archive',
    async () => {
      await docker(engine, 'pull', '-q', busybox);
      await withRoom(0, async () => {
        await docker(engine, 'save', '-o', archive('saved.tar'), busybox);
        const onFullDisk = join(engine.dataRoot, 'saved.tar');
        expectFull(await engine.own(['save', '-o', onFullDisk, busybox]));
        expect((await peers.world.output(['ls', engine.dataRoot])).split('\n').filter((name) => name.includes('saved'))).toEqual([]);
      });
      await docker(engine, 'rmi', busybox);
      await docker(engine, 'load', '-q', '-i', archive('saved.tar'));
      expect(await inImage(busybox, 'echo', 'whole')).toBe('whole');
    },
    caseMs,
  );
});

describe('damage', () => {
  let engine: Engine;

  beforeAll(async () => {
    engine = await Engine.start('strake');
    await docker(engine, 'pull', '-q', busybox);
    await docker(engine, 'pull', '-q', layers);
  }, setupMs);

  afterAll(async () => {
    await engine?.[Symbol.asyncDispose]();
  }, setupMs);

  async function restartAfter(damage: () => void): Promise<void> {
    process.kill(engine.daemon.innerPid, 'SIGKILL');
    await engine.daemon.finished;
    damage();
    await engine.startStrake();
  }

  const blobs = () => join(engine.dataRoot, 'content/blobs/sha256');

  test(
    'of a manifest: the image is named and can be removed or pulled again, the others are untouched',
    async () => {
      const digest = (await docker(engine, 'inspect', '--format', '{{index .RepoDigests 0}}', layers)).split('@sha256:')[1] ?? '';
      await restartAfter(() => writeFileSync(join(blobs(), digest), 'damaged'));
      expect(await docker(engine, 'images', '--format', '{{.Repository}}')).toBe(busybox);
      expect(engine.daemon.stderr).toContain(digest);
      await docker(engine, 'image', 'prune', '-f');
      expect(await docker(engine, 'run', '--rm', busybox, 'echo', 'fine')).toBe('fine');
      await docker(engine, 'pull', '-q', layers);
      expect(await docker(engine, 'run', '--rm', layers, 'cat', '/cake/kept')).toBe('kept');
      await restartAfter(() => writeFileSync(join(blobs(), digest), 'damaged again'));
      await docker(engine, 'rmi', layers);
      expect(existsSync(join(blobs(), digest))).toBe(false);
      expect((await engine.docker(['rmi', layers])).stderr).toContain('No such image');
    },
    caseMs,
  );

  test(
    'of the database: it is set aside and named, what runs goes on and is found',
    async () => {
      await docker(
        engine,
        'run',
        '-d',
        '--name',
        'survivor',
        busybox,
        'sh',
        '-c',
        'i=0; while [ ! -e /stop ]; do i=$((i+1)); echo $i; usleep 10000; done; exit 17',
      );
      const pid = await docker(engine, 'inspect', '--format', '{{.State.Pid}}', 'survivor');
      await restartAfter(() => {
        for (const suffix of ['', '-wal', '-shm']) {
          const file = join(engine.dataRoot, `metadata.db${suffix}`);
          if (existsSync(file)) writeFileSync(file, readFileSync(file).fill(0x55));
        }
      });
      expect(readdirSync(engine.dataRoot).some((name) => name.startsWith('metadata.db.damaged-'))).toBe(true);
      expect(engine.daemon.stderr).toContain('metadata database is damaged');
      expect(await docker(engine, 'inspect', '--format', '{{.State.Pid}} {{.State.Running}}', 'survivor')).toBe(`${pid} true`);
      expect(await docker(engine, 'exec', 'survivor', 'echo', 'still here')).toBe('still here');
      await docker(engine, 'exec', '-d', 'survivor', 'touch', '/stop');
      expect(await docker(engine, 'wait', 'survivor')).toBe('17');
      await docker(engine, 'rm', 'survivor');
      await docker(engine, 'pull', '-q', busybox);
      expect(await docker(engine, 'run', '--rm', busybox, 'echo', 'again')).toBe('again');
      await until('no directory of a container is left', () => readdirSync(join(engine.dataRoot, 'containers')).length === 0);
    },
    caseMs,
  );

  /** The blob of the topmost layer of an image, by its manifest. */
  async function topLayer(name: string): Promise<string> {
    const manifest = (await docker(engine, 'inspect', '--format', '{{index .RepoDigests 0}}', name)).split('@sha256:')[1] ?? '';
    const { layers: descriptors } = JSON.parse(readFileSync(join(blobs(), manifest), 'utf8')) as { layers: { digest: string }[] };
    return descriptors.at(-1)?.digest.slice('sha256:'.length) ?? '';
  }

  test(
    'of one byte of a layer: it is named when the layer is read, and a pull brings it again',
    async () => {
      await docker(engine, 'pull', '-q', layers);
      const digest = await topLayer(layers);
      const bytes = readFileSync(join(blobs(), digest));
      bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
      writeFileSync(join(blobs(), digest), bytes);
      const saved = await engine.docker(['save', '-o', join(engine.work, 'saved.tar'), layers]);
      expect([saved.code === 0, `${saved.stderr}${engine.daemon.stderr}`.includes(`blob sha256:${digest} is damaged`)]).toEqual([false, true]);
      expect(await docker(engine, 'run', '--rm', layers, 'cat', '/cake/kept')).toBe('kept');
      await docker(engine, 'pull', '-q', layers);
      await docker(engine, 'save', '-o', join(engine.work, 'saved.tar'), layers);
      expect(existsSync(join(blobs(), digest))).toBe(true);
    },
    caseMs,
  );

  test(
    'of one bit of a snapshot’s record: it is named when a container is made, and a pull heals it',
    async () => {
      await restartAfter(() => {
        const db = new DatabaseSync(join(engine.dataRoot, 'metadata.db'));
        db.exec('pragma foreign_keys = off');
        expect(db.prepare('update snapshots set parent = parent + 1 where parent is not null').run().changes).toBeGreaterThan(0);
        db.close();
      });
      const made = await engine.docker(['run', '--rm', layers, 'true']);
      expect([made.code === 0, made.stderr]).toEqual([false, expect.stringMatching(/snapshot sha256:[0-9a-f]{64}: its record is damaged/) as string]);
      await docker(engine, 'pull', '-q', layers);
      expect(await docker(engine, 'run', '--rm', layers, 'cat', '/cake/kept')).toBe('kept');
    },
    caseMs,
  );

  test(
    'none: the other storage driver is refused over what is there, and then runs the same image',
    async () => {
      process.kill(engine.daemon.innerPid, 'SIGKILL');
      await engine.daemon.finished;
      await expect(engine.startStrake(['--storage-driver', 'vfs'])).rejects.toThrow('the data root has snapshots of overlayfs, not of native');
      await engine.startStrake();
      await docker(engine, 'image', 'prune', '-af');
      process.kill(engine.daemon.innerPid, 'SIGKILL');
      await engine.daemon.finished;
      await engine.startStrake(['--storage-driver', 'vfs']);
      expect(await docker(engine, 'info', '--format', '{{.Driver}}')).toBe('vfs');
      await docker(engine, 'pull', '-q', layers);
      expect(await docker(engine, 'run', '--name', 'copied', layers, 'sh', '-c', 'cat /cake/kept; rm -r /cake; [ ! -e /cake ]')).toContain('kept');
      expect(await docker(engine, 'run', '--rm', layers, 'cat', '/cake/kept')).toBe('kept');
      expect(await docker(engine, 'inspect', '--format', '{{.GraphDriver.Name}}', 'copied')).toBe('vfs');
      expect((await docker(engine, 'diff', 'copied')).split('\n')).toContain('D /cake');
      await docker(engine, 'commit', 'copied', 'without-cake');
      expect(await docker(engine, 'run', '--rm', 'without-cake', 'sh', '-c', '[ ! -e /cake ] && [ -e /bin/sh ] && echo gone')).toBe('gone');
      await docker(engine, 'rm', 'copied');
      await docker(engine, 'image', 'prune', '-af');
    },
    caseMs,
  );
});
