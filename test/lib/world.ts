import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cgroupsBelow, delegateCgroups, hierarchies, makeCgroups, removeCgroups, sweepCgroups, thawCgroups } from './cgroups.ts';
import { ensureProgram } from './compile.ts';
import type { Finished, RunOptions } from './process.ts';
import { Running, run } from './process.ts';
import type { PtySize } from './pty.ts';
import { Pty } from './pty.ts';
import { until } from './until.ts';

const script = (name: string): string => join(import.meta.dirname, name);
const cgroupPrefix = 'strake-world-';

/** A way into namespaces: the argv that runs a command there, and the forms in which tests run one. */
export class Place {
  readonly #holder: number;
  readonly #name: string;

  /** `holder` is the pid, as the machine sees it, of a process in those namespaces; `name` its cgroup. */
  constructor(holder: number, name: string) {
    this.#holder = holder;
    this.#name = name;
  }

  /** How the machine sees a path of this place. */
  path(name: string): string {
    return join(`/proc/${this.#holder}/root`, name);
  }

  command(argv: readonly string[]): string[] {
    return entering(this.#holder, this.#name, argv);
  }

  async run(argv: readonly string[], options?: RunOptions): Promise<Finished> {
    return await run(this.command(argv), options);
  }

  /** Like `run`, for a command that must succeed: its standard output. */
  async output(argv: readonly string[], options?: RunOptions): Promise<string> {
    const finished = await this.run(argv, options);
    if (finished.code !== 0) throw new Error(`${argv.join(' ')}: exit ${finished.code}: ${finished.stderr.trim()}${finished.stdout.trim()}`);
    return finished.stdout;
  }

  spawn(argv: readonly string[], options?: RunOptions & { readonly keepStdin?: boolean }): Running {
    return new Running(this.command(argv), options);
  }

  pty(argv: readonly string[], size?: PtySize, env?: Readonly<Record<string, string>>): Pty {
    return new Pty(this.command(argv), size, env);
  }
}

/** The argv that runs a command in the cgroups `name` and, unless it is 0, in the namespaces of `holder`. */
function entering(holder: number, name: string, argv: readonly string[]): string[] {
  return [ensureProgram(script('world-enter.c')), String(holder), ...hierarchies().map(({ path }) => join(path, name)), '--', ...argv];
}

/**
 * A private copy of the machine's kernel-side state: network (loopback up), mounts, pids and cgroups in namespaces held
 * by one process. Daemons, registries and containers of a test live in it, so that tests neither see nor touch the
 * machine, and ending the holder ends everything. `work` is a directory of its own on the machine's disk.
 */
export class World extends Place implements AsyncDisposable {
  readonly work: string;
  /** The holder's pid as the machine sees it: `/proc/<pid>/root/proc` is the world's /proc. */
  readonly pid: number;
  readonly cgroup: string;
  readonly #holder: Running;
  readonly #isMounted: boolean;

  private constructor(holder: Running, pid: number, cgroup: string, work: string, isMounted: boolean) {
    super(pid, cgroup);
    this.pid = pid;
    this.cgroup = cgroup;
    this.work = work;
    this.#holder = holder;
    this.#isMounted = isMounted;
  }

  /** `disk`: a file with a file system, which becomes `work`. The caller's mount namespace should be its own: it gets the mount. */
  static async start({ disk }: { readonly disk?: string } = {}): Promise<World> {
    sweepCgroups(cgroupPrefix);
    const cgroup = `${cgroupPrefix}${process.pid}-${randomBytes(3).toString('hex')}`;
    makeCgroups(cgroup);
    const work = mkdtempSync('/tmp/strake-world-');
    if (disk !== undefined) await succeed(['mount', '-o', 'loop', disk, work]);
    chmodSync(work, 0o755); // users in the world reach volumes below it
    const mounts = hierarchies().map(({ type, options, path }) => `${type}:${options}:${path}`);
    const namespaces = ['--cgroup', '--net', '--mount', '--pid', '--fork', '--kill-child', '--propagation', 'private'];
    const holder = new Running(entering(0, cgroup, ['unshare', ...namespaces, 'sh', script('world-holder.sh'), ...mounts]), { keepStdin: true });
    await holder.output(/^ready$/m);
    delegateCgroups(cgroup);
    return new World(holder, holder.innerPid, cgroup, work, disk !== undefined);
  }

  /** A path of the world's own /proc, readable from the test's process. */
  procPath(...parts: readonly (string | number)[]): string {
    return join(`/proc/${this.pid}/root/proc`, ...parts.map(String));
  }

  proc(pid: number, file: string): string {
    return readFileSync(this.procPath(pid, file), 'utf8');
  }

  /** A field of /proc/PID/status, e.g. `CapEff`. */
  status(pid: number, field: string): string {
    const value = new RegExp(`^${field}:\\s*(.*)$`, 'm').exec(this.proc(pid, 'status'))?.[1];
    if (value === undefined) throw new Error(`/proc/${pid}/status has no ${field}`);
    return value.trim();
  }

  /** Whether the process lives (a zombie does not). */
  alive(pid: number): boolean {
    try {
      return !/^State:\s*[ZX]/m.test(this.proc(pid, 'status'));
    } catch {
      return false;
    }
  }

  /** The words of a process that lives, each with a NUL behind it; empty for one that has ended, meanwhile or before. */
  commandLine(pid: number): string {
    try {
      return this.alive(pid) ? this.proc(pid, 'cmdline') : '';
    } catch {
      return '';
    }
  }

  /** The machine's path of the cgroup that holds the process, in the hierarchy of a v1 controller (or `unified`). */
  cgroupOf(pid: number, controller: string): string {
    for (const line of this.proc(pid, 'cgroup').split('\n')) {
      const [, names, path] = line.split(':');
      if (names?.split(',').includes(controller) && path !== undefined) return join('/sys/fs/cgroup', controller, path);
    }
    throw new Error(`process ${pid} is in no cgroup of ${controller}`);
  }

  cgroups(): string[] {
    return cgroupsBelow(this.cgroup);
  }

  /** Every pid in the world, as the world counts them. */
  pids(): number[] {
    return readdirSync(this.procPath())
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    thawCgroups(this.cgroup);
    this.#holder.endInput();
    await this.#holder.stop();
    await until(`the cgroups of ${this.cgroup} to be free`, () => removeCgroups(this.cgroup));
    if (this.#isMounted) await succeed(['umount', this.work]);
    rmSync(this.work, { recursive: true, force: true });
  }
}

async function succeed(argv: readonly string[]): Promise<void> {
  const { code, stderr } = await run(argv);
  if (code !== 0) throw new Error(`${argv.join(' ')}: exit ${code}: ${stderr}`);
}
