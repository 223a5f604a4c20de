import { isCode } from '../../../base/index.ts';
import type { Launcher, Op } from '../../../kernel/index.ts';
import { hasIdMap, mappedMountOps } from '../../../runtime/index.ts';
import type { SnapshotMount } from '../../snapshots/snapshots.ts';
import type { OpenRootOptions, RootBind, RootFiles, RootSource, RootTree } from '../root-files.ts';

/** linux/sched.h, mount(2), open(2) */
const newMountNamespace = 0x0002_0000;
const recursivePrivate = 0x0004_4000;
const privateMount = 0x0004_0000;
/** MOUNT_ATTR_RDONLY, and NOSUID | NODEV | NOEXEC: nothing is run or driven from a root that is only written to. */
const readonlyAttribute = 0x1;
const inert = 0x2 | 0x4 | 0x8;
/** mount_bind, `create`: as the source is. */
const asSource = 3;
const openRoot = 0o10200000 | 0o2000000;
const rootSlot = 0;
const mapSlots = { userns: 1, tree: 2 };

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
    await using session = await this.options.launcher.fileSession(this.enter({ source }));
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

  async open(options: OpenRootOptions): Promise<RootTree> {
    return await this.options.launcher.fileSession(this.enter(options), options.signal === undefined ? {} : { signal: options.signal });
  }

  private enter({ source, writable = false, binds = [] }: OpenRootOptions): readonly Op[] {
    const root = source.kind === 'process' ? `/proc/${source.pid}/root` : this.options.mountpoint;
    return [
      ...(source.kind === 'mount' ? this.mount(source.mount, writable) : []),
      { op: 'open', side: 'host', out: rootSlot, path: root, flags: openRoot, mode: 0 },
      ...binds.map(bindOp),
      { op: 'chroot', side: 'host', root: rootSlot },
      { op: 'files', side: 'host' },
    ];
  }

  private mount(mount: Extract<RootSource, { kind: 'mount' }>['mount'], writable: boolean): readonly Op[] {
    const target = this.options.mountpoint;
    return [
      { op: 'mkdir', side: 'host', path: target, mode: 0o700 },
      { op: 'unshare', side: 'host', flags: newMountNamespace },
      { op: 'propagation', side: 'host', path: '/', flags: recursivePrivate },
      ...mountOps(mount, target, writable),
    ];
  }
}

function mountOps(mount: SnapshotMount, target: string, writable: boolean): readonly Op[] {
  if (hasIdMap(mount)) {
    const ops = mappedMountOps(mount, { slots: mapSlots, asLower: !writable, ...(writable ? { attrs: inert } : {}) });
    return [...ops, { op: 'attach', side: 'host', fd: mapSlots.tree, target }];
  }
  return [mount.type === 'bind' ? { op: 'mount_bind', side: 'host', target, source: mount.source, recursive: 0 } : overlayOp(mount, target, writable)];
}

function overlayOp(mount: Extract<SnapshotMount, { type: 'overlay' }>, target: string, writable: boolean): Op {
  const { lowers, upper, work } = mount;
  if (writable && upper !== undefined && work !== undefined) return { op: 'overlay', side: 'host', target, lowers, upper, work, attrs: inert };
  // The writable layer, if any, is the uppermost of the lower ones: so it is read beside a container that runs on it.
  return { op: 'overlay', side: 'host', target, lowers: [...(upper === undefined ? [] : [upper]), ...lowers], upper: '', work: '' };
}

function bindOp({ source, destination, readonly, recursive }: RootBind): Op {
  const set = inert | (readonly ? readonlyAttribute : 0);
  return {
    op: 'mount_bind',
    side: 'host',
    root: rootSlot,
    target: destination,
    source,
    recursive: recursive ? 1 : 0,
    set,
    propagation: privateMount,
    create: asSource,
  };
}
