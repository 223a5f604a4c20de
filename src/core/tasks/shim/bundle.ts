import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { discardDirectory, errorMessage, isMountPoint, type Logger, readMounts, replaceFile, StrakeError } from '../../../base/index.ts';
import type { Launcher } from '../../../kernel/index.ts';
import { parseJson, type RuntimeSpec } from '../../../oci/index.ts';
import { admitMappedRoot } from '../admit-mapped-root.ts';
import type { ShimEndpoint } from './shim-tasks.ts';
import { formatEndpoint, parseStartAnswer } from './start-answer.ts';

/** Files of a bundle that are ours; their names are containerd's, so that its tools and shims find them. */
const files = {
  config: 'config.json',
  rootfs: 'rootfs',
  work: 'work',
  log: 'log',
  endpoint: 'bootstrap.json',
  shimPath: 'shim-binary-path',
  sandbox: 'sandbox',
  created: 'strake-created',
} as const;

/** S_IFIFO | 0600 */
const fifoMode = 0o010600;
/** umount2(2), MNT_DETACH */
const detach = 2;
/** Mounts on top of each other. */
const maxStackedMounts = 16;

/** The directory in which one task's shim works. */
export class Bundle {
  readonly directory: string;
  private readonly launcher: Pick<Launcher, 'run'>;

  constructor(directory: string, launcher: Pick<Launcher, 'run'>) {
    this.directory = directory;
    this.launcher = launcher;
  }

  get logPath(): string {
    return path.join(this.directory, files.log);
  }

  /** Makes it, for root alone; AlreadyExists when there is one. */
  async create(spec: Uint8Array | undefined): Promise<void> {
    mkdirSync(path.dirname(this.directory), { recursive: true, mode: 0o711 });
    try {
      mkdirSync(this.directory, { mode: 0o700 });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      throw new StrakeError('AlreadyExists', `bundle ${this.directory} exists already`, { cause: error, fields: { layer: 'core' } });
    }
    mkdirSync(path.join(this.directory, files.rootfs), { mode: 0o711 });
    mkdirSync(path.join(this.directory, files.work), { mode: 0o711 });
    await this.launcher.run([{ op: 'mknod_in', side: 'host', path: this.logPath, mode: fifoMode, major: 0, minor: 0, uid: 0, gid: 0 }]);
    if (spec === undefined) return;
    admitMappedRoot(this.directory, parseJson(Buffer.from(spec).toString(), files.config) as RuntimeSpec);
    writeFileSync(path.join(this.directory, files.config), spec, { mode: 0o600 });
  }

  /** Before the shim is started: what a crash leaves can be cleaned up after by the shim's own command. */
  saveShimPath(shimPath: string): void {
    this.write(files.shimPath, shimPath);
  }

  saveEndpoint(endpoint: ShimEndpoint): void {
    this.write(files.endpoint, formatEndpoint(endpoint));
  }

  /** The shim has made the task. */
  saveCreated(pid: number): void {
    this.write(files.created, String(pid));
  }

  saveSandbox(sandboxId: string): void {
    this.write(files.sandbox, sandboxId);
  }

  /** Undefined where the start of the shim was not finished, or its words are damaged. */
  readEndpoint(): ShimEndpoint | undefined {
    const text = this.read(files.endpoint);
    try {
      return text === undefined ? undefined : parseStartAnswer(Buffer.from(text));
    } catch {
      return undefined;
    }
  }

  /** The pid of the task's first process; undefined where the shim has not told that it made the task. */
  readCreated(): number | undefined {
    const text = this.read(files.created);
    return text === undefined ? undefined : Number(text);
  }

  readShimPath(): string | undefined {
    return this.read(files.shimPath);
  }

  readSandbox(): string | undefined {
    return this.read(files.sandbox);
  }

  /** From the hierarchies' roots; undefined where the runtime decides, or systemd. */
  readCgroupPath(): string | undefined {
    const text = this.read(files.config);
    const path = text === undefined ? undefined : (parseJson(text, files.config) as RuntimeSpec).linux?.cgroupsPath;
    return path?.startsWith('/') ? path : undefined;
  }

  /** Takes what the shim left mounted away, and then the directory. FailedPrecondition when the root filesystem cannot be unmounted: nothing in it is touched. */
  async remove(log: Logger): Promise<void> {
    const rootfs = path.join(this.directory, files.rootfs);
    for (let tries = 0; tries < maxStackedMounts && isMountPoint(rootfs); tries++)
      await this.launcher.run([{ op: 'umount', side: 'host', path: rootfs, flags: hasMountsBelow(rootfs) ? detach : 0, ignore: 1 }]);
    try {
      rmdirSync(rootfs);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
        throw new StrakeError('FailedPrecondition', `bundle ${this.directory} stays: its root filesystem is still in use`, {
          cause: error,
          fields: { layer: 'core' },
        });
    }
    discardDirectory(this.directory, (error) => log.warn('a bundle was not deleted', { bundle: this.directory, error: errorMessage(error) }));
  }

  private write(name: string, text: string): void {
    replaceFile(path.join(this.directory, name), text);
  }

  private read(name: string): string | undefined {
    try {
      return readFileSync(path.join(this.directory, name), 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }
}

/** A recursive bind brings them: they go with it, and are no paths to be walked through here. */
function hasMountsBelow(mountPoint: string): boolean {
  return readMounts().some(({ target }) => target.startsWith(`${mountPoint}/`));
}
