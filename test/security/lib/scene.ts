import { expect } from 'bun:test';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Mount, ProcessSpec, RuntimeSpec } from '../../../src/oci/index.ts';
import { defaultSpec } from '../../../src/runtime/index.ts';
import { ensureProgram } from '../../lib/compile.ts';
import { strakeDist } from '../../lib/dist.ts';
import { until } from '../../lib/until.ts';

const runtime = path.join(strakeDist, 'strake-runc');
const busybox = '/bin/busybox';
const commandTimeoutMs = 60_000;
const settleMs = 5_000;

export interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  /** the runtime's last error; empty when there was none, as for a container whose own command fails */
  readonly error: string;
}

export interface BundleOptions {
  readonly process?: Partial<ProcessSpec>;
  /** instead of the default ones */
  readonly mounts?: readonly Mount[];
  /** behind them */
  readonly moreMounts?: readonly Mount[];
  /** called with the root directory, before the first start */
  readonly prepare?: (rootfs: string) => void;
  readonly change?: (spec: RuntimeSpec) => RuntimeSpec;
}

/**
 * A directory of its own for one attack: bundles, volumes, a canary that stands for the host's files, a state root. Its end kills what still runs
 * and fails the test when the canary was touched or anything is left.
 */
export class Scene implements AsyncDisposable {
  readonly dir = mkdtempSync(path.join(tmpdir(), 'strake-attack-'));
  readonly canary: string;
  readonly #programs: ReadonlyMap<string, string>;
  readonly #attackers = new Set<ChildProcess>();
  readonly #ids: string[] = [];
  #names = 0;

  constructor() {
    if (process.getuid?.() !== 0 || !existsSync(runtime) || !existsSync(busybox)) throw new Error('these tests need root, dist/ and a static busybox');
    // A container in a user namespace has to get at its root.
    chmodSync(this.dir, 0o711);
    this.canary = this.directory('canary');
    writeFileSync(path.join(this.canary, 'secret'), 'untouched');
    this.#programs = runtimePrograms();
  }

  /** A new directory of the host. */
  directory(name: string): string {
    const dir = path.join(this.dir, name);
    mkdirSync(dir);
    return dir;
  }

  /** A container's name that no other one has had, removed at the end whatever happens. */
  id(): string {
    const id = `${path.basename(this.dir)}-${this.#names++}`;
    this.#ids.push(id);
    return id;
  }

  /** A bundle whose root has a busybox with all of its applets. */
  bundle(options: BundleOptions = {}): string {
    const dir = this.directory(`bundle${this.#names++}`);
    const rootfs = path.join(dir, 'rootfs');
    for (const name of ['bin', 'dev', 'etc', 'proc', 'sys', 'tmp']) mkdirSync(path.join(rootfs, name), { recursive: true });
    copyFileSync(busybox, path.join(rootfs, 'bin/busybox'));
    for (const applet of applets) symlinkSync('busybox', path.join(rootfs, 'bin', applet));
    copyFileSync(attackerProgram(), path.join(rootfs, 'bin/attacker'));
    options.prepare?.(rootfs);
    this.configure(dir, options);
    return dir;
  }

  /** Gives a bundle another configuration. */
  configure(bundle: string, options: Omit<BundleOptions, 'prepare'>): void {
    const base = defaultSpec();
    const spec: RuntimeSpec = {
      ...base,
      root: { path: 'rootfs' },
      process: { ...(base.process as ProcessSpec), terminal: false, ...options.process },
      mounts: [...(options.mounts ?? base.mounts ?? []), ...(options.moreMounts ?? [])],
    };
    writeFileSync(path.join(bundle, 'config.json'), JSON.stringify(options.change?.(spec) ?? spec));
  }

  /** One command of the runtime, to its end. A container that outlives it keeps no pipe of ours. */
  runc(...args: string[]): Finished {
    const log = path.join(this.dir, 'log');
    rmSync(log, { force: true });
    const stdio = args[0] === 'create' || args.includes('--detach') ? 'ignore' : 'pipe';
    const done = spawnSync(runtime, [...this.#globals(log), ...args], { encoding: 'utf8', stdio: ['ignore', stdio, 'ignore'], timeout: commandTimeoutMs });
    return { status: done.status, stdout: done.stdout ?? '', error: lastError(log) };
  }

  /** `run` of the bundle under a name of its own. */
  run(bundle: string): Finished {
    return this.runc('run', '--bundle', bundle, this.id());
  }

  /** Starts `attacker ARGV…` in a container with these mounts; resolves once it runs. `stop` ends it, with what it printed. */
  async attack(argv: readonly string[], moreMounts: readonly Mount[], change: (spec: RuntimeSpec) => RuntimeSpec = (spec) => spec): Promise<Attack> {
    const id = this.id();
    const bundle = this.bundle({ process: { args: ['attacker', ...argv] }, moreMounts, change });
    return await this.#watch([...this.#globals(path.join(this.dir, 'attack.log')), 'run', '--bundle', bundle, id], runtime, id);
  }

  /** The same as a process of the host: for what no container could reach, such as the victim's root filesystem. */
  async attackOutside(argv: readonly string[]): Promise<Attack> {
    return await this.#watch(argv, attackerProgram(), '');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#attackers) child.kill('SIGKILL');
    for (const id of this.#ids) if (existsSync(path.join(this.dir, 'state', id))) this.runc('delete', '--force', id);
    try {
      expect(readdirSync(this.canary)).toEqual(['secret']);
      expect(readFileSync(path.join(this.canary, 'secret'), 'utf8')).toBe('untouched');
      expect(runtimePrograms()).toEqual(this.#programs);
      await until('nothing to be left', async () => this.#left().length === 0, settleMs).catch(() => expect(this.#left()).toEqual([]));
    } finally {
      rmSync(this.dir, { recursive: true, force: true });
    }
  }

  async #watch(argv: readonly string[], program: string, id: string): Promise<Attack> {
    const child = spawn(program, argv, { stdio: ['ignore', 'pipe', 'ignore'] });
    this.#attackers.add(child);
    let output = '';
    const ready = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    child.stdout?.on('data', (data: Buffer) => {
      output += data.toString();
      if (output.includes('ready\n')) ready.resolve();
    });
    child.on('close', () => {
      this.#attackers.delete(child);
      ready.reject(new Error(`the attacker ended: ${lastError(path.join(this.dir, 'attack.log'))}`));
      ended.resolve();
    });
    await ready.promise;
    return {
      id,
      stop: async () => {
        child.kill('SIGTERM');
        await ended.promise;
        return output.replace('ready\n', '').trim().split(' ').map(Number);
      },
    };
  }

  #globals(log: string): readonly string[] {
    return ['--root', path.join(this.dir, 'state'), '--log', log, '--log-format', 'json'];
  }

  /** Mounts, cgroups, state and processes of this scene's containers. */
  #left(): string[] {
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
    const cgroups = containerCgroups(path.basename(this.dir));
    const state = path.join(this.dir, 'state');
    return [...mounts.filter((line) => line.includes(this.dir)), ...cgroups, ...(existsSync(state) ? readdirSync(state) : []), ...processesIn(this.dir)];
  }
}

export interface Attack {
  /** of its container */
  readonly id: string;
  /** the numbers that it printed */
  stop(): Promise<readonly number[]>;
}

const applets = ['sh', 'cat', 'true', 'sleep', 'id', 'ls', 'stat', 'grep', 'mount', 'mkdir', 'touch', 'echo', 'readlink', 'pwd', 'wc', 'test', 'mv'];

/** What an attack would overwrite: the time of the last change cannot be set by anybody (inode(7)). */
function runtimePrograms(): ReadonlyMap<string, string> {
  const state = (file: string) => {
    const { ino, size, ctimeNs } = statSync(file, { bigint: true });
    return `${ino} ${size} ${ctimeNs}`;
  };
  return new Map(['strake', 'strake-init'].map((name) => [name, state(path.join(strakeDist, name))]));
}

/** The directories of containers whose name begins so, in every hierarchy. */
export function containerCgroups(prefix: string): string[] {
  const { status, stdout } = spawnSync('find', ['/sys/fs/cgroup', '-type', 'd', '-name', `${prefix}*`, '-prune'], { encoding: 'utf8' });
  if (status === null) throw new Error('find(1) is needed');
  return stdout.split('\n').filter((line) => line !== '');
}

/** Processes that work in the scene or were told of it. */
function processesIn(dir: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        const cgroup = readFileSync(`/proc/${pid}/cgroup`, 'utf8');
        return command.includes(dir) || cgroup.includes(path.basename(dir)) ? [`${pid} ${command}`] : [];
      } catch {
        return [];
      }
    });
}

function lastError(log: string): string {
  if (!existsSync(log)) return '';
  const lines = readFileSync(log, 'utf8').split('\n');
  const errors = lines.filter((line) => line !== '').map((line) => JSON.parse(line) as { readonly level: string; readonly msg: string });
  return errors.filter(({ level }) => level === 'error').at(-1)?.msg ?? '';
}

/** The static program of `attacker.c`, which runs in any root. */
export function attackerProgram(): string {
  return ensureProgram(path.join(import.meta.dirname, 'attacker.c'));
}
