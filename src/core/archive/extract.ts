import { StrakeError } from '../../base/index.ts';
import type { FileOp } from '../../kernel/index.ts';
import { decompress } from '../diff/decompress.ts';
import { defaultLayerLimits, type FileSink } from '../diff/diff.ts';
import { checkText, normalizePath } from '../diff/layer-paths.ts';
import { sendArchive } from '../diff/send-archive.ts';
import { sniffCompression } from '../diff/sniff.ts';
import type { TarEntry } from '../diff/tar/entry.ts';
import { type TarHandler, TarReader } from '../diff/tar/reader.ts';
import { isLayerXattr } from '../diff/xattrs.ts';

export interface ExtractOptions {
  /** Of everything that is made; those of the archive when absent. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
  /** Leaves out the attributes that only root may set. */
  readonly unprivileged?: boolean | undefined;
  /** The first part of every name that is `from` becomes `to`, as in hard links. */
  readonly rename?: { readonly from: string; readonly to: string } | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Of one archive: nothing is kept for each entry, so that this bounds time, not memory. */
const maxEntries = 10_000_000;
const fileTypes = { file: 0o100000, directory: 0o040000, character: 0o020000, block: 0o060000, fifo: 0o010000 } as const;

/**
 * Unpacks a tar archive (plain, gzip or zstd) into the root of a session: what is there stays, and is replaced entry by entry; names like those of whiteouts mean
 * nothing. The archive's own root directory is left as it is. Names stay below the root, through whatever links. InvalidArgument for what is no archive.
 */
export async function extractArchive(source: AsyncIterable<Uint8Array>, sink: FileSink, options: ExtractOptions = {}): Promise<void> {
  const operations = new ExtractOperations(options);
  const reader = new TarReader(operations, { entries: maxEntries, headerBytes: defaultLayerLimits.headerBytes });
  const packed = await sniffCompression(source);
  await sendArchive(decompress(packed.source, packed.compression), sink, { reader, operations, signal: options.signal });
  await sink.sync(false);
}

/** Turns entries into operations, in the archive's order. */
class ExtractOperations implements TarHandler {
  readonly #options: ExtractOptions;
  #pending: FileOp[] = [];
  #xattrs: FileOp[] = [];
  #left = 0;

  constructor(options: ExtractOptions) {
    this.#options = options;
  }

  take(): FileOp[] {
    const operations = this.#pending;
    this.#pending = [];
    return operations;
  }

  entry(entry: TarEntry): void {
    const path = this.#path(entry.name);
    this.#left = 0;
    // The destination keeps its own mode and owner.
    if (path === '') return;
    const { kind, mtimeNs: mtime } = entry;
    const { uid, gid } = this.#options.owner ?? entry;
    const side = 'file';
    switch (kind) {
      case 'directory':
        this.#pending.push({ op: 'file_dir', side, path, mode: fileTypes.directory | entry.mode, uid, gid, mtime });
        break;
      case 'file':
        this.#pending.push({ op: 'file_create', side, path, mode: fileTypes.file | entry.mode, uid, gid, mtime, size: entry.sizeBytes });
        this.#left = entry.sizeBytes;
        break;
      case 'symlink':
        checkLink(path, entry.linkName);
        this.#pending.push({ op: 'file_symlink', side, path, target: entry.linkName, uid, gid, mtime });
        break;
      case 'link':
        checkLink(path, entry.linkName);
        this.#pending.push({ op: 'file_link', side, path, target: this.#path(entry.linkName) });
        break;
      default:
        this.#pending.push({ op: 'file_node', side, path, mode: fileTypes[kind] | entry.mode, major: entry.devMajor, minor: entry.devMinor, uid, gid, mtime });
    }
    this.#xattrs =
      kind === 'file' || kind === 'directory'
        ? entry.xattrs.filter(([name]) => this.#isSet(name)).map(([name, value]) => ({ op: 'file_xattr', side, path, name, value }))
        : [];
    if (this.#left === 0) this.#flushXattrs();
  }

  data(bytes: Uint8Array): void {
    this.#content({ op: 'file_data', side: 'file', data: bytes }, bytes.length);
  }

  hole(bytes: number): void {
    this.#content({ op: 'file_hole', side: 'file', size: bytes }, bytes);
  }

  #content(operation: FileOp, bytes: number): void {
    this.#pending.push(operation);
    this.#left -= bytes;
    if (this.#left === 0) this.#flushXattrs();
  }

  /** After the content: writing a file drops its capabilities. */
  #flushXattrs(): void {
    if (this.#xattrs.length > 0) this.#pending.push(...this.#xattrs);
    this.#xattrs = [];
  }

  #isSet(name: string): boolean {
    return isLayerXattr(name) && !(this.#options.unprivileged === true && !name.startsWith('user.') && !name.startsWith('system.'));
  }

  #path(name: string): string {
    const path = normalizePath(name, defaultLayerLimits);
    const { rename } = this.#options;
    if (rename === undefined) return path;
    // Of `.`, that is of everything, there is no first part.
    if (rename.from === '') return path === '' ? rename.to : `${rename.to}/${path}`;
    return path === rename.from || path.startsWith(`${rename.from}/`) ? `${rename.to}${path.slice(rename.from.length)}` : path;
  }
}

function checkLink(path: string, target: string): void {
  checkText(target, defaultLayerLimits.pathBytes);
  if (target === '') throw new StrakeError('InvalidArgument', `link ${JSON.stringify(path)} has no target`, { fields: { layer: 'core', operation: 'untar' } });
}
