import { randomBytes } from 'node:crypto';
import { chownSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { strakeDist } from '../../lib/dist.ts';
import { kernelSnapshot, leaks, type Snapshot } from '../../lib/leaks.ts';
import type { Finished, Running, RunOptions } from '../../lib/process.ts';
import type { Pty, PtySize } from '../../lib/pty.ts';
import { until } from '../../lib/until.ts';
import { World } from '../../lib/world.ts';
import { type Account, root } from './account.ts';
import { type Bundle, BundleMaker } from './bundle.ts';
import { Container } from './container.ts';
import type { Patch } from './spec.ts';

/** What the kernel takes apart by itself (namespaces, zombies of a killed tree) has a moment before it counts as left. */
const settleMs = 3_000;

/** The runtime alone, in a world of its own: no daemon, no peer. */
export class RuntimeWorld implements AsyncDisposable {
  readonly world: World;
  /** What `--root` names. */
  readonly root: string;
  readonly #account: Account;
  readonly #bundles: BundleMaker;
  #clean: Snapshot;

  private constructor(world: World, account: Account) {
    this.world = world;
    this.#account = account;
    this.root = join(world.work, 'state');
    mkdirSync(this.root, { mode: 0o711 });
    chownSync(this.root, account.uid, account.uid);
    this.#bundles = new BundleMaker(join(world.work, 'bundles'), account);
    this.#clean = this.#snapshot();
  }

  /** One container runs first: the cgroup above all containers is made once, and stays. */
  static async start(account: Account = root): Promise<RuntimeWorld> {
    const world = await World.start();
    await account.prepare?.(world);
    const runtime = new RuntimeWorld(world, account);
    await runtime.shell('true');
    runtime.acceptPresent();
    return runtime;
  }

  /** The argv of `strake-runc ARGS`, to be run in the world. */
  argv(args: readonly string[]): string[] {
    return [...this.#account.become, join(strakeDist, 'strake-runc'), '--root', this.root, ...args];
  }

  /** Runs `strake-runc ARGS`: any exit status. */
  async runtime(args: readonly string[], options?: RunOptions): Promise<Finished> {
    return await this.world.run(this.argv(args), options);
  }

  /** Runs `strake-runc ARGS`, which must succeed: its standard output. */
  async output(args: readonly string[], options?: RunOptions): Promise<string> {
    return await this.world.output(this.argv(args), options);
  }

  /**
   * Runs a verb that leaves processes behind (`create`, `run --detach`, `exec --detach`), with their output in the files `log` and `log`.err:
   * they would hold a pipe of ours open. Any exit status; the result's output is what the files had at the end of the command.
   */
  async detached(args: readonly string[], log: string, options?: RunOptions): Promise<Finished> {
    const finished = await this.world.run(['sh', '-c', 'exec "$@" >"$0" 2>"$0.err"', log, ...this.argv(args)], options);
    return { ...finished, stdout: readFileSync(log, 'utf8'), stderr: readFileSync(`${log}.err`, 'utf8') };
  }

  spawn(args: readonly string[], options?: RunOptions & { readonly keepStdin?: boolean }): Running {
    return this.world.spawn(this.argv(args), options);
  }

  pty(args: readonly string[], size?: PtySize): Pty {
    return this.world.pty(this.argv(args), size);
  }

  /** A bundle of busybox, its configuration changed by `patch`. */
  bundle(patch?: Patch): Bundle {
    return this.#bundles.make(patch);
  }

  /** Another configuration for a bundle. */
  configure(bundle: Bundle, patch?: Patch): void {
    this.#bundles.configure(bundle, patch);
  }

  /** A container in status created. `flags` stand before its id. */
  async create(patch?: Patch | Bundle, flags: readonly string[] = []): Promise<Container> {
    return await this.#make('create', patch, flags);
  }

  /** A running container, which `run --detach` made. */
  async running(patch?: Patch | Bundle, flags: readonly string[] = []): Promise<Container> {
    return await this.#make('run', patch, ['--detach', ...flags]);
  }

  /** `run` in the foreground to its end: any exit status, all output. */
  async run(patch?: Patch | Bundle, flags: readonly string[] = [], options?: RunOptions): Promise<Finished> {
    return await this.runtime(['run', '--bundle', this.#bundleOf(patch).dir, ...flags, newId()], options);
  }

  /** `run` of a shell script: what it printed, without the last line end; it must succeed. */
  async shell(script: string, patch: Patch = () => undefined): Promise<string> {
    const { code, stdout, stderr } = await this.run((spec) => {
      spec.process.args = ['sh', '-ec', script];
      patch(spec);
    });
    if (code !== 0) throw new Error(`sh -ec '${script}': exit ${code}: ${stderr}${stdout}`);
    return stdout.replace(/\n$/, '');
  }

  /** What is there now and was not when the world was made: mounts, cgroups, processes, links, sockets, files of `--root`. */
  async leaks(): Promise<string[]> {
    let left: string[] = [];
    await until(
      'nothing to be left',
      () => {
        left = leaks(this.#clean, this.#snapshot());
        return left.length === 0;
      },
      settleMs,
    ).catch(() => undefined);
    return left;
  }

  /** Takes what is there now for clean. */
  acceptPresent(): void {
    this.#clean = this.#snapshot();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.world[Symbol.asyncDispose]();
  }

  #snapshot(): Snapshot {
    return kernelSnapshot(this.world, { trees: [this.root] });
  }

  #bundleOf(patch: Patch | Bundle | undefined): Bundle {
    return typeof patch === 'object' ? patch : this.bundle(patch);
  }

  async #make(verb: 'create' | 'run', patch: Patch | Bundle | undefined, flags: readonly string[]): Promise<Container> {
    const bundle = this.#bundleOf(patch);
    const id = newId();
    const pidFile = join(bundle.dir, 'pid');
    const log = join(bundle.dir, 'log');
    const { code, stderr } = await this.detached([verb, '--bundle', bundle.dir, '--pid-file', pidFile, ...flags, id], log);
    if (code !== 0) throw new Error(`strake-runc ${verb}: exit ${code}: ${stderr}`);
    return new Container(this, id, bundle, Number(readFileSync(pidFile, 'utf8')));
  }
}

function newId(): string {
  return `test-${randomBytes(4).toString('hex')}`;
}
