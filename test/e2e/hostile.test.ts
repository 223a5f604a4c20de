/**
 * Hostile images and registries: a clear error that names the object, nothing written outside, nothing left. `STRAKE_E2E_ENGINES=docker`
 * shows what the real Docker does with the same images (its messages differ; containment must not).
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { hostileAnswers } from '../fixtures/hostile-answers.ts';
import { hostileImages } from '../fixtures/hostile-images.ts';
import { hostileRegistryHost } from '../fixtures/hostile-registry.ts';
import type { EngineName } from '../lib/engine.ts';
import { Engine, strakeBinary } from '../lib/engine.ts';
import type { Snapshot } from '../lib/leaks.ts';
import { settledLeaks, snapshot } from '../lib/leaks.ts';
import { busybox } from './steps/step.ts';

const setupMs = 600_000;
const imageMs = 120_000;
const name: EngineName = process.env['STRAKE_E2E_ENGINES'] === 'docker' ? 'docker' : 'strake';
/** RELIABILITY.md, bombs: what the daemon may take more than before, in KiB. */
const memoryLimitKiB = 256 << 10;
/** What docker has no answer to: it would fill the disk, or reads the whole. Ours must refuse. */
const notForDocker = new Set([...Object.keys(hostileAnswers), 'gzip-bomb', 'zstd-bomb', 'long-header', 'sparse-bomb', 'huge-manifest']);

let engine: Engine;
let canary: string;

/** The directory that every hostile path aims at, with what is in it. */
function canaryState(): string {
  return readdirSync(canary)
    .map((entry) => `${entry} ${statSync(join(canary, entry)).nlink} ${readFileSync(join(canary, entry), 'utf8')}`)
    .join('\n');
}

beforeAll(async () => {
  engine = await Engine.start(name);
  canary = join(engine.work, 'canary');
  mkdirSync(canary);
  writeFileSync(join(canary, 'secret'), 'untouched');
  const script = join(import.meta.dirname, '../fixtures/hostile-registry.ts');
  const registry = engine.world.spawn([process.execPath, script, hostileRegistryHost.split(':')[1] ?? '', canary]);
  await registry.output(/listening/);
  for (const argv of [
    ['pull', '-q', busybox],
    ['run', '--rm', busybox, 'true'],
  ])
    expect(await engine.docker(argv)).toMatchObject({ code: 0 });
}, setupMs);

afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
}, setupMs);

describe(`hostile images on ${name}`, () => {
  for (const [repository, hostile] of [...Object.entries(hostileImages), ...Object.entries(hostileAnswers)]) {
    if (name === 'docker' && notForDocker.has(repository)) continue;
    const reference = `${hostileRegistryHost}/${repository}`;
    test(
      repository,
      async () => {
        const corePattern = readFileSync('/proc/sys/kernel/core_pattern', 'utf8');
        const state = canaryState();
        const before = await held();
        const memory = startMemory();
        const pull = await engine.docker(['pull', reference], { timeoutMs: imageMs });
        const outcome = { pull: pull.code, run: undefined as number | undefined, message: pull.stderr };
        if (pull.code === 0) {
          const ran = await engine.docker(['run', '--rm', '--volume', '/scratch', reference]);
          Object.assign(outcome, { run: ran.code, message: ran.stderr });
        }
        await engine.docker(['rmi', '--force', reference]);
        if (name === 'docker') console.error(repository, outcome);
        else check(hostile.expect, outcome);
        expect(canaryState()).toBe(state);
        expect(readFileSync('/proc/sys/kernel/core_pattern', 'utf8')).toBe(corePattern);
        expect(await settledLeaks(before, held)).toEqual([]);
        memory.check();
      },
      imageMs,
    );
  }
});

// CVE-2024-21626: descriptors of the set-up, in `run` and in `exec`. The program is the machine's own and static, so it would run.
test(
  'no command leads out of the container through a descriptor',
  async () => {
    const outside = (fd: number) => `/proc/self/fd/${fd}${'/..'.repeat(12)}${join(dirname(strakeBinary), 'strake-hello')}`;
    expect(await engine.docker(['run', '-d', '--rm', '--name', 'victim', busybox, 'sleep', '1000'])).toMatchObject({ code: 0 });
    for (let fd = 3; fd < 24; fd++) {
      for (const argv of [
        ['run', '--rm', busybox, outside(fd)],
        ['exec', 'victim', outside(fd)],
      ]) {
        const { code, stdout } = await engine.docker(argv);
        expect(stdout).not.toContain('Hello from a container');
        expect([125, 126, 127]).toContain(code);
      }
    }
    expect(await engine.docker(['rm', '-f', 'victim'])).toMatchObject({ code: 0 });
  },
  imageMs,
);

/** What the world and the engine's own directories hold. */
async function held(): Promise<Snapshot> {
  await engine.deletionsDone();
  const below = (root: string, names: readonly string[]) => names.map((part) => join(root, part));
  const ours = name === 'strake' ? [...below(engine.dataRoot, ['content', 'snapshots', 'containers']), ...below(engine.execRoot, ['tasks', 'rootfs'])] : [];
  return { ...(await snapshot(engine.peers, { trees: [join(engine.dataRoot, 'volumes'), ...ours] })), 'open file': name === 'strake' ? openFiles() : [] };
}

/** What the daemon has open, but for connections, which end in their own time. */
function openFiles(): string[] {
  const directory = `/proc/${engine.daemon.innerPid}/fd`;
  return readdirSync(directory).flatMap((fd) => {
    try {
      const target = readlinkSync(join(directory, fd));
      return /^(socket|pipe|anon_inode):/.test(target) ? [] : [target];
    } catch {
      return []; // a connection that has just ended
    }
  });
}

/** The peak of the daemon's resident memory from here on (proc_pid_clear_refs(5), 5), which must stay under the limit; so the daemon has lived on, too. */
function startMemory(): { check(): void } {
  if (name === 'docker') return { check: () => undefined };
  const pid = engine.daemon.innerPid;
  const readKiB = (field: string) => Number.parseInt(/\d+/.exec(readFileSync(`/proc/${pid}/status`, 'utf8').split(`${field}:`)[1] ?? '')?.[0] ?? '', 10);
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
  const base = readKiB('VmRSS');
  return {
    check() {
      expect(engine.daemon.exited).toBe(false);
      expect(readKiB('VmHWM') - base).toBeLessThan(memoryLimitKiB);
    },
  };
}

interface Outcome {
  readonly pull: number;
  readonly run: number | undefined;
  readonly message: string;
}

function check(wanted: (typeof hostileImages)[string]['expect'], outcome: Outcome): void {
  switch (wanted.kind) {
    case 'refused':
      expect(outcome.pull).not.toBe(0);
      expect(outcome.message).toMatch(wanted.message);
      expect(outcome.message).not.toContain('connection refused');
      break;
    case 'run refused':
      expect(outcome.pull).toBe(0);
      expect(outcome.run).not.toBe(0);
      expect(outcome.message).toMatch(wanted.message);
      break;
    case 'contained':
      // Whether it was refused or confined, the caller has seen that nothing outside changed; a refusal must say why.
      if (outcome.pull !== 0 || outcome.run !== 0) expect(outcome.message.trim()).not.toBe('');
      break;
  }
}
