import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Finished, RunOptions } from '../../lib/process.ts';
import { until } from '../../lib/until.ts';
import type { Bundle } from './bundle.ts';
import { type ContainerCgroup, containerCgroup } from './cgroup.ts';
import type { RuntimeWorld } from './runtime-world.ts';

/** What `state` prints. */
export interface ContainerState {
  readonly ociVersion: string;
  readonly id: string;
  readonly pid: number;
  readonly status: 'creating' | 'created' | 'running' | 'paused' | 'stopped';
  readonly bundle: string;
  readonly rootfs: string;
  readonly created: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A container that `create` or `run --detach` made; its end deletes it, whatever its state. */
export class Container implements AsyncDisposable {
  readonly world: RuntimeWorld;
  readonly id: string;
  readonly bundle: Bundle;
  /** The init, as the world counts. */
  readonly pid: number;
  /** Where its cgroup is, found while the init lived. */
  readonly cgroup: ContainerCgroup;

  constructor(world: RuntimeWorld, id: string, bundle: Bundle, pid: number) {
    this.world = world;
    this.id = id;
    this.bundle = bundle;
    this.pid = pid;
    this.cgroup = containerCgroup(world.world, pid);
  }

  async start(): Promise<void> {
    await this.world.output(['start', this.id]);
  }

  async state(): Promise<ContainerState> {
    return JSON.parse(await this.world.output(['state', this.id])) as ContainerState;
  }

  /** `exec` with its flags in front of the command: any exit status. */
  async exec(args: readonly string[], flags: readonly string[] = [], options?: RunOptions): Promise<Finished> {
    return await this.world.runtime(['exec', ...flags, this.id, ...args], options);
  }

  /** What a command in the container prints, without the last line end; it must succeed. */
  async output(args: readonly string[], flags: readonly string[] = []): Promise<string> {
    return (await this.world.output(['exec', ...flags, this.id, ...args])).replace(/\n$/, '');
  }

  async kill(signal: string | number = 'KILL', flags: readonly string[] = []): Promise<void> {
    await this.world.output(['kill', ...flags, this.id, String(signal)]);
  }

  async delete(flags: readonly string[] = []): Promise<void> {
    await this.world.output(['delete', ...flags, this.id]);
  }

  /** Resolves when the init has ended. */
  async ended(): Promise<void> {
    await until(`the init of ${this.id} to end`, () => !this.alive);
  }

  get alive(): boolean {
    return this.world.world.alive(this.pid);
  }

  /** A file of the init's /proc/PID. */
  proc(file: string): string {
    return this.world.world.proc(this.pid, file);
  }

  /** A field of the init's /proc/PID/status, e.g. `CapEff`. */
  status(field: string): string {
    return this.world.world.status(this.pid, field);
  }

  /** What its init has written to standard output so far. */
  get log(): string {
    return readFileSync(join(this.bundle.dir, 'log'), 'utf8');
  }

  /** What its init has written to standard error so far. */
  get errorLog(): string {
    return readFileSync(join(this.bundle.dir, 'log.err'), 'utf8');
  }

  /** A file as the container's init sees it, read from outside; for /proc and /sys use `output(['cat', …])`. */
  file(path: string): string {
    return readFileSync(this.world.world.procPath(this.pid, 'root', path), 'utf8');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.world.runtime(['delete', '--force', this.id]);
  }
}
