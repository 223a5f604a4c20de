import { pathText, StrakeError } from '../../../base/index.ts';
import type { EntryKind, TarEntry } from './entry.ts';
import { blockBytes, damaged, decodeHeader, exhausted, type TarHeader } from './header.ts';
import { type PaxRecords, parsePax, paxNumber, paxText, paxTimeNs, paxXattrs } from './pax.ts';
import { beginOldSparse, checkSparse, continueOldSparse, type OldSparse, paxSparse, SparseContent, type SparseMap, SparseMapReader } from './sparse.ts';

/** Called in the archive's order: an entry, then the data of a file in pieces, which are views of what was pushed, and the holes between them. */
export interface TarHandler {
  entry(entry: TarEntry): void;
  data(bytes: Uint8Array): void;
  /** Without it a sparse file is Unimplemented. */
  hole?(bytes: number): void;
}

export interface TarLimits {
  readonly entries: number;
  readonly headerBytes: number;
}

type State =
  | { readonly at: 'header' }
  | { readonly at: 'data'; left: number; padding: number; readonly sparse?: SparseContent }
  | { readonly at: 'sparse blocks'; readonly sparse: OldSparse; readonly storedBytes: number }
  | { readonly at: 'sparse map'; readonly reader: SparseMapReader; readonly storedBytes: number }
  | { readonly at: 'extension'; readonly type: string; readonly bytes: Buffer; filled: number; padding: number }
  | { readonly at: 'padding'; left: number }
  | { readonly at: 'end' };

const kinds: Readonly<Record<string, EntryKind>> = {
  '0': 'file',
  '7': 'file',
  '1': 'link',
  '2': 'symlink',
  '3': 'character',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
};
/** GNU tar's old format of sparse files. */
const sparseType = 'S';

/**
 * Reads a tar stream that is pushed in pieces of any size: ustar, PAX, GNU long names, sparse files in all of GNU's formats. Nothing is copied but
 * headers.
 */
export class TarReader {
  readonly #handler: TarHandler;
  readonly #limits: TarLimits;
  readonly #partial = Buffer.alloc(blockBytes);
  #partialBytes = 0;
  #state: State = { at: 'header' };
  #globals: PaxRecords = new Map();
  #records: PaxRecords | undefined;
  #longName: string | undefined;
  #longLink: string | undefined;
  #entries = 0;
  /** Of the last entry, for errors. */
  #name = '';
  /** Extended headers since the last entry: none is bounded by the entries' own limit. */
  #extensionBytes = 0;

  constructor(handler: TarHandler, limits: TarLimits) {
    this.#handler = handler;
    this.#limits = limits;
  }

  get entries(): number {
    return this.#entries;
  }

  push(chunk: Uint8Array): void {
    let rest = chunk;
    while (rest.length > 0 && this.#state.at !== 'end') rest = rest.subarray(this.#step(this.#state, rest));
  }

  /** The stream is over: throws DataLoss inside an entry. An archive without the two blocks of zeros is accepted, as by everybody. */
  end(): void {
    const { at } = this.#state;
    if (at === 'end' || (at === 'header' && this.#partialBytes === 0 && this.#records === undefined)) return;
    const where = at !== 'header' && at !== 'extension' ? `in entry ${JSON.stringify(this.#name.slice(0, 200))}` : 'in a header';
    throw new StrakeError('DataLoss', `archive is truncated ${where}`, { fields: { layer: 'core', operation: 'untar' } });
  }

  /** Answers how many bytes it took. */
  #step(state: State, chunk: Uint8Array): number {
    switch (state.at) {
      case 'header':
      case 'sparse blocks':
      case 'sparse map':
        return this.#takeBlock(state, chunk);
      case 'data': {
        const taken = Math.min(state.left, chunk.length);
        const piece = taken === chunk.length ? chunk : chunk.subarray(0, taken);
        if (state.sparse) state.sparse.push(piece);
        else this.#handler.data(piece);
        state.left -= taken;
        if (state.left === 0) this.#endContent(state);
        return taken;
      }
      case 'extension': {
        const taken = Math.min(state.bytes.length - state.filled, chunk.length);
        state.bytes.set(chunk.subarray(0, taken), state.filled);
        state.filled += taken;
        if (state.filled === state.bytes.length) {
          this.#pad(state.padding);
          this.#extend(state.type, state.bytes);
        }
        return taken;
      }
      case 'padding': {
        const taken = Math.min(state.left, chunk.length);
        state.left -= taken;
        if (state.left === 0) this.#state = { at: 'header' };
        return taken;
      }
      case 'end':
        return chunk.length;
    }
  }

  #takeBlock(state: State, chunk: Uint8Array): number {
    if (this.#partialBytes === 0 && chunk.length >= blockBytes) {
      this.#block(state, chunk.subarray(0, blockBytes));
      return blockBytes;
    }
    const taken = Math.min(blockBytes - this.#partialBytes, chunk.length);
    this.#partial.set(chunk.subarray(0, taken), this.#partialBytes);
    this.#partialBytes += taken;
    if (this.#partialBytes === blockBytes) {
      this.#partialBytes = 0;
      this.#block(state, this.#partial);
    }
    return taken;
  }

  #block(state: State, block: Uint8Array): void {
    if (state.at === 'sparse blocks') this.#sparseBlock(state, block);
    else if (state.at === 'sparse map') {
      const map = state.reader.push(block);
      if (map) this.#beginSparse(map, state.storedBytes - state.reader.bytes);
    } else this.#header(block);
  }

  #sparseBlock({ sparse, storedBytes }: Extract<State, { at: 'sparse blocks' }>, block: Uint8Array): void {
    this.#countExtension(blockBytes);
    if (!continueOldSparse(sparse, bufferOf(block))) this.#beginSparse(sparse, storedBytes);
  }

  #header(block: Uint8Array): void {
    const header = decodeHeader(block);
    if (header === undefined) this.#state = { at: 'end' };
    else if ('xgLK'.includes(header.type)) this.#beginExtension(header);
    else this.#beginEntry(header, block);
  }

  #countExtension(bytes: number): void {
    this.#extensionBytes += bytes;
    if (this.#extensionBytes > this.#limits.headerBytes)
      throw exhausted(`extended headers of ${this.#extensionBytes} bytes, at most ${this.#limits.headerBytes} are allowed`);
  }

  #beginExtension({ type, sizeBytes }: TarHeader): void {
    this.#countExtension(sizeBytes + blockBytes);
    if (sizeBytes === 0) return;
    this.#state = { at: 'extension', type, bytes: Buffer.alloc(sizeBytes), filled: 0, padding: paddingOf(sizeBytes) };
  }

  #extend(type: string, bytes: Buffer): void {
    const name = () => pathText(bytes, 0, bytes.indexOf(0) === -1 ? bytes.length : bytes.indexOf(0));
    if (type === 'x') this.#records = parsePax(bytes);
    else if (type === 'g') this.#globals = new Map([...this.#globals, ...parsePax(bytes)]);
    else if (type === 'L') this.#longName = name();
    else this.#longLink = name();
  }

  #beginEntry(header: TarHeader, block: Uint8Array): void {
    this.#entries++;
    if (this.#entries > this.#limits.entries) throw exhausted(`more than ${this.#limits.entries} entries`);
    const records: PaxRecords = this.#globals.size === 0 ? (this.#records ?? this.#globals) : new Map([...this.#globals, ...(this.#records ?? [])]);
    const stored = paxNumber(records, 'size') ?? header.sizeBytes;
    const sparse = header.type === sparseType ? ({ at: 'header', ...beginOldSparse(bufferOf(block)) } as const) : paxSparse(records);
    const sizeBytes = sparse === undefined ? stored : sparse.at === 'records' ? sparse.map.sizeBytes : sparse.sizeBytes;
    const entry = this.#merge(header, records, sizeBytes);
    if (sparse !== undefined && entry.kind !== 'file') throw damaged(`entry ${JSON.stringify(entry.name)} is a sparse ${entry.kind}`);
    this.#records = undefined;
    this.#longName = undefined;
    this.#longLink = undefined;
    this.#extensionBytes = 0;
    this.#name = entry.name;
    this.#handler.entry(entry);
    if (sparse === undefined) this.#content(entry.sizeBytes);
    else if (sparse.at === 'records') this.#beginSparse(sparse.map, stored);
    else if (sparse.at === 'content')
      this.#state = { at: 'sparse map', reader: new SparseMapReader(sizeBytes, Math.min(stored, this.#limits.headerBytes)), storedBytes: stored };
    else if (sparse.more) this.#state = { at: 'sparse blocks', sparse, storedBytes: stored };
    else this.#beginSparse(sparse, stored);
  }

  #merge(header: TarHeader, records: PaxRecords, sizeBytes: number): TarEntry {
    const name = paxText(records, 'GNU.sparse.name') ?? paxText(records, 'path') ?? this.#longName ?? header.name;
    const kind = kindOf(header.type, name);
    return {
      kind,
      name,
      linkName: paxText(records, 'linkpath') ?? this.#longLink ?? header.linkName,
      mode: header.mode,
      uid: idOf(paxNumber(records, 'uid') ?? header.uid),
      gid: idOf(paxNumber(records, 'gid') ?? header.gid),
      // Only a file has content; some writers give others a size (pax: "link" may, with linkdata).
      sizeBytes: kind === 'file' ? sizeBytes : 0,
      mtimeNs: paxTimeNs(records, 'mtime') ?? BigInt(header.mtime) * 1_000_000_000n,
      devMajor: header.devMajor,
      devMinor: header.devMinor,
      xattrs: records.size === 0 ? [] : paxXattrs(records),
    };
  }

  #beginSparse(map: SparseMap, storedBytes: number): void {
    checkSparse(map, storedBytes);
    const { data, hole } = this.#handler;
    if (hole === undefined)
      throw new StrakeError('Unimplemented', `entry ${JSON.stringify(this.#name)} is a sparse file: not supported here`, {
        fields: { layer: 'core', operation: 'untar' },
      });
    this.#content(storedBytes, new SparseContent(map, { data: data.bind(this.#handler), hole: hole.bind(this.#handler) }));
  }

  #content(bytes: number, sparse?: SparseContent): void {
    const state = { at: 'data', left: bytes, padding: paddingOf(bytes), ...(sparse === undefined ? {} : { sparse }) } as const;
    if (bytes > 0) this.#state = { ...state };
    else this.#endContent(state);
  }

  #endContent({ padding, sparse }: { readonly padding: number; readonly sparse?: SparseContent }): void {
    sparse?.end();
    this.#pad(padding);
  }

  #pad(bytes: number): void {
    this.#state = bytes === 0 ? { at: 'header' } : { at: 'padding', left: bytes };
  }
}

function kindOf(type: string, name: string): EntryKind {
  const kind = type === sparseType ? 'file' : kinds[type];
  if (kind === undefined) throw damaged(`entry ${JSON.stringify(name)} has an unknown type ${JSON.stringify(type)}`);
  // Before there was a type for directories they were files with a slash at the end.
  return kind === 'file' && name.endsWith('/') ? 'directory' : kind;
}

function idOf(id: number): number {
  if (id >= 0xffff_ffff) throw damaged(`owner ${id} is out of range`);
  return id;
}

const paddingOf = (sizeBytes: number) => (blockBytes - (sizeBytes % blockBytes)) % blockBytes;

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
