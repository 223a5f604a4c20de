import { pathByteLength, StrakeError } from '../../base/index.ts';
import type { FileOp } from '../../kernel/index.ts';
import type { ApplyOptions, LayerLimits } from './diff.ts';
import { baseOf, checkText, normalizePath, parentOf } from './layer-paths.ts';
import { PathTable } from './path-table.ts';
import type { TarEntry } from './tar/entry.ts';
import type { TarHandler } from './tar/reader.ts';
import { isLayerXattr } from './xattrs.ts';

const whiteoutPrefix = '.wh.';
/** Metadata of aufs, of which only the opaque mark means something in a layer (image-spec layer.md, "Whiteouts"). */
const aufsPrefix = '.wh..wh.';
const opaqueName = '.wh..wh..opq';
const fileTypes = { file: 0o100000, directory: 0o040000, character: 0o020000, block: 0o060000, fifo: 0o010000 } as const;
const implicitDirectoryMode = 0o040755;
/** What a path is in the table of those that were made. */
const made = { entry: 1, whiteout: 2 } as const;
const keepTime = -1n;
const sparseFromBytes = 64 << 10;

/** Turns tar entries into file operations: whiteouts, missing parents, hostile names. Operations gather until they are taken. */
export class LayerOperations implements TarHandler {
  readonly #whiteouts: ApplyOptions['whiteouts'];
  readonly #limits: LayerLimits;
  /** Every path that this layer made, and whether as a whiteout. */
  readonly #made = new PathTable();
  /** Default lists of access, by directory: what is made below would take after them. */
  readonly #defaultAcls = new Map<string, FileOp>();
  #pending: FileOp[] = [];
  #xattrs: FileOp[] = [];
  #left = 0;
  #sizeBytes = 0;
  #links = 0;
  #hasRoot = false;

  constructor(whiteouts: ApplyOptions['whiteouts'], limits: LayerLimits) {
    this.#whiteouts = whiteouts;
    this.#limits = limits;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** More names of a file are no inodes of their own. */
  get inodes(): number {
    return this.#made.size - this.#links;
  }

  get hasRoot(): boolean {
    return this.#hasRoot;
  }

  take(): FileOp[] {
    const operations = this.#pending;
    this.#pending = [];
    return operations;
  }

  /** The layer is over: what had to wait for all entries. */
  end(): void {
    this.#pending.push(...this.#defaultAcls.values());
  }

  entry(entry: TarEntry): void {
    const path = normalizePath(entry.name, this.#limits);
    const name = baseOf(path);
    this.#left = 0;
    if (path === '') {
      this.#root(entry);
      return;
    }
    if (isAufsMetadata(path)) {
      this.#left = -1;
      return;
    }
    if (name.startsWith(whiteoutPrefix)) {
      this.#whiteout(path, name);
      // Content of a whiteout means nothing, yet it follows in the stream.
      this.#left = -1;
      return;
    }
    this.#parents(path);
    const hidden = this.#made.get(path) === made.whiteout;
    this.#make(entry, path);
    this.#made.set(path, made.entry);
    if (hidden && entry.kind === 'directory') this.#opaque(path);
  }

  data(bytes: Uint8Array): void {
    this.#content({ op: 'file_data', side: 'file', data: bytes }, bytes.length);
  }

  hole(bytes: number): void {
    this.#content({ op: 'file_hole', side: 'file', size: bytes }, bytes);
  }

  #content(operation: FileOp, bytes: number): void {
    if (this.#left < 0) return;
    this.#pending.push(operation);
    this.#left -= bytes;
    if (this.#left === 0) this.#flushXattrs();
  }

  #root(entry: TarEntry): void {
    if (entry.kind !== 'directory')
      throw new StrakeError('InvalidArgument', `the root directory is in the layer as a ${entry.kind}`, { fields: { layer: 'core' } });
    this.#hasRoot = true;
    this.#make(entry, '.');
  }

  #make(entry: TarEntry, path: string): void {
    const { kind, uid, gid, mtimeNs: mtime } = entry;
    const side = 'file';
    if (kind === 'symlink' || kind === 'link') checkText(entry.linkName, this.#limits.pathBytes);
    if ((kind === 'symlink' || kind === 'link') && entry.linkName === '')
      throw new StrakeError('InvalidArgument', `link ${JSON.stringify(path)} has no target`, { fields: { layer: 'core' } });
    switch (kind) {
      case 'directory':
        this.#pending.push({ op: 'file_dir', side, path, mode: fileTypes.directory | entry.mode, uid, gid, mtime });
        break;
      case 'file':
        this.#pending.push({ op: 'file_create', side, path, mode: fileTypes.file | entry.mode, uid, gid, mtime, size: entry.sizeBytes, flags: sparse(entry) });
        this.#left = entry.sizeBytes;
        this.#count(entry.sizeBytes);
        break;
      case 'symlink':
        this.#count(pathByteLength(entry.linkName)); // as the file system counts it, and docker with it
        this.#pending.push({ op: 'file_symlink', side, path, target: entry.linkName, uid, gid, mtime });
        break;
      case 'link':
        this.#links++;
        this.#pending.push({ op: 'file_link', side, path, target: normalizePath(entry.linkName, this.#limits) });
        break;
      default:
        this.#pending.push({ op: 'file_node', side, path, mode: fileTypes[kind] | entry.mode, major: entry.devMajor, minor: entry.devMinor, uid, gid, mtime });
    }
    if (kind === 'file' || kind === 'directory') this.#setXattrs(entry, path);
    if (kind !== 'directory' && this.#defaultAcls.size > 0) this.#forgetBelow(path);
    if (this.#left === 0) this.#flushXattrs();
  }

  /** Holes count too: who copies the file may fill them. */
  #count(bytes: number): void {
    this.#sizeBytes += bytes;
    if (this.#sizeBytes > this.#limits.bytes)
      throw new StrakeError('ResourceExhausted', `unpacked it exceeds a limit: more than ${this.#limits.bytes} bytes (--max-layer-size)`, {
        fields: { layer: 'core', remedy: 'start the daemon with a higher --max-layer-size, if the image is trusted' },
      });
  }

  #setXattrs({ xattrs }: TarEntry, path: string): void {
    for (const [name, value] of xattrs) {
      if (name === 'system.posix_acl_default') this.#defaultAcls.set(path, xattr(path, name, value));
      else if (isLayerXattr(name)) this.#xattrs.push(xattr(path, name, value));
    }
  }

  /** Something else took the place of a directory. */
  #forgetBelow(path: string): void {
    for (const directory of this.#defaultAcls.keys()) if (directory === path || directory.startsWith(`${path}/`)) this.#defaultAcls.delete(directory);
  }

  /** After the content: writing a file drops its capabilities. */
  #flushXattrs(): void {
    if (this.#xattrs.length > 0) this.#pending.push(...this.#xattrs);
    this.#xattrs = [];
  }

  #whiteout(path: string, name: string): void {
    const parent = parentOf(path);
    if (name === opaqueName) {
      this.#parents(path);
      this.#opaque(parent === '' ? '.' : parent);
      return;
    }
    const hidden = name.slice(whiteoutPrefix.length);
    if (hidden === '' || hidden === '.' || hidden === '..')
      throw new StrakeError('InvalidArgument', `whiteout ${JSON.stringify(path)} hides no name`, { fields: { layer: 'core' } });
    const target = parent === '' ? hidden : `${parent}/${hidden}`;
    // A whiteout hides what is below this layer, never what the layer itself brings.
    if (this.#made.get(target) !== 0) return;
    this.#parents(target);
    this.#made.set(target, made.whiteout);
    if (this.#whiteouts === 'plain') this.#pending.push({ op: 'file_remove', side: 'file', path: target });
    else this.#pending.push({ op: 'file_node', side: 'file', path: target, mode: fileTypes.character, major: 0, minor: 0, uid: 0, gid: 0, mtime: keepTime });
  }

  #opaque(path: string): void {
    if (this.#whiteouts === 'plain') this.#pending.push({ op: 'file_clear', side: 'file', path });
    else this.#pending.push(xattr(path, 'trusted.overlay.opaque', Buffer.from('y')));
  }

  /**
   * A layer may leave directories out that the layers below have. In a directory of its own they must be there; in a plain tree they are, or are made on the
   * way, and stay as the layers below have them.
   */
  #parents(path: string): void {
    const parent = parentOf(path);
    if (parent === '' || this.#made.get(parent) === made.entry) return;
    this.#parents(parent);
    const hidden = this.#made.get(parent) === made.whiteout;
    this.#made.set(parent, made.entry);
    if (this.#whiteouts === 'plain') return;
    this.#pending.push({ op: 'file_dir', side: 'file', path: parent, mode: implicitDirectoryMode, uid: 0, gid: 0, mtime: keepTime });
    if (hidden) this.#opaque(parent);
  }
}

/** Zero blocks become holes, in files where there is something to win. */
function sparse({ sizeBytes }: TarEntry): number {
  return sizeBytes >= sparseFromBytes ? 1 : 0;
}

function isAufsMetadata(path: string): boolean {
  return (
    path.includes(aufsPrefix) &&
    path.split('/').some((part, index, parts) => part.startsWith(aufsPrefix) && !(part === opaqueName && index === parts.length - 1))
  );
}

function xattr(path: string, name: string, value: Uint8Array): FileOp {
  return { op: 'file_xattr', side: 'file', path, name, value };
}
