import { isCode } from '../../../base/index.ts';
import type { Launcher, Op } from '../../../kernel/index.ts';
import type { RootFiles, RootSource } from '../root-files.ts';

/** linux/sched.h, mount(2), open(2) */
const newMountNamespace = 0x0002_0000;
const recursivePrivate = 0x0004_4000;
const openRoot = 0o10200000 | 0o2000000;
const rootSlot = 0;

export interface LocalRootFilesOptions {
  readonly launcher: Launcher;
  /** An empty directory that roots are mounted on, each in a mount namespace of its own. */
  readonly mountpoint: string;
}

/** Reads in a process that is chrooted into the root filesystem, in a mount namespace that goes with it. */
export class LocalRootFiles implements RootFiles {
  private readonly options: LocalRootFilesOptions;

  constructor(options: LocalRootFilesOptions) {
    this.options = options;
  }

  async read(source: RootSource, paths: readonly string[], limitBytes: number): Promise<readonly (Buffer | undefined)[]> {
    await using session = await this.options.launcher.fileSession(this.enter(source));
    const contents: (Buffer | undefined)[] = [];
    for (const path of paths) {
      try {
        contents.push(await session.read(path, limitBytes));
      } catch (error) {
        if (!isCode(error, 'NotFound')) throw error;
        contents.push(undefined);
      }
    }
    return contents;
  }

  private enter(source: RootSource): readonly Op[] {
    const root = source.kind === 'process' ? `/proc/${source.pid}/root` : this.options.mountpoint;
    return [
      ...(source.kind === 'mount' ? this.mount(source.mount) : []),
      { op: 'open', side: 'host', out: rootSlot, path: root, flags: openRoot, mode: 0 },
      { op: 'chroot', side: 'host', root: rootSlot },
      { op: 'files', side: 'host' },
    ];
  }

  private mount(mount: Extract<RootSource, { kind: 'mount' }>['mount']): readonly Op[] {
    const target = this.options.mountpoint;
    return [
      { op: 'mkdir', side: 'host', path: target, mode: 0o700 },
      { op: 'unshare', side: 'host', flags: newMountNamespace },
      { op: 'propagation', side: 'host', path: '/', flags: recursivePrivate },
      mount.type === 'overlay'
        ? // Read-only: the writable layer, if any, is the uppermost of the lower ones.
          { op: 'overlay', side: 'host', target, lowers: [...(mount.upper === undefined ? [] : [mount.upper]), ...mount.lowers], upper: '', work: '' }
        : { op: 'mount_bind', side: 'host', target, source: mount.source, recursive: 0 },
    ];
  }
}
