import { pathText, StrakeError } from '../../../base/index.ts';
import type { EntryKind, TarEntry } from './entry.ts';
import { blockBytes, damaged, decodeHeader, type TarHeader } from './header.ts';
import { type PaxRecords, parsePax, paxNumber, paxText, paxTimeNs } from './pax.ts';

/** Called in the archive's order: an entry, then the data of a file in pieces, which are views of what was pushed. */
export interface TarHandler {
  entry(entry: TarEntry): void;
  data(bytes: Uint8Array): void;
}

export interface TarLimits {
  readonly entries: number;
  readonly headerBytes: number;
}

type State =
  | { readonly at: 'header' }
  | { readonly at: 'data'; left: number; padding: number }
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
const xattrPrefix = 'SCHILY.xattr.';

/**
 * Reads a tar stream that is pushed in pieces of any size: ustar, PAX, GNU long names. Sparse files, which only GNU tar makes when asked to, are refused.
 * Nothing is copied but headers.
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
    const where = at === 'data' || at === 'padding' ? `in entry ${JSON.stringify(this.#name.slice(0, 200))}` : 'in a header';
    throw new StrakeError('DataLoss', `archive is truncated ${where}`, { fields: { layer: 'core', operation: 'untar' } });
  }

  /** Answers how many bytes it took. */
  #step(state: State, chunk: Uint8Array): number {
    switch (state.at) {
      case 'header':
        return this.#takeHeader(chunk);
      case 'data': {
        const taken = Math.min(state.left, chunk.length);
        this.#handler.data(taken === chunk.length ? chunk : chunk.subarray(0, taken));
        state.left -= taken;
        if (state.left === 0) this.#pad(state.padding);
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

  #takeHeader(chunk: Uint8Array): number {
    if (this.#partialBytes === 0 && chunk.length >= blockBytes) {
      this.#header(chunk);
      return blockBytes;
    }
    const taken = Math.min(blockBytes - this.#partialBytes, chunk.length);
    this.#partial.set(chunk.subarray(0, taken), this.#partialBytes);
    this.#partialBytes += taken;
    if (this.#partialBytes === blockBytes) {
      this.#partialBytes = 0;
      this.#header(this.#partial);
    }
    return taken;
  }

  #header(block: Uint8Array): void {
    const header = decodeHeader(block);
    if (header === undefined) this.#state = { at: 'end' };
    else if ('xgLK'.includes(header.type)) this.#beginExtension(header);
    else this.#beginEntry(header);
  }

  #beginExtension({ type, sizeBytes }: TarHeader): void {
    this.#extensionBytes += sizeBytes + blockBytes;
    if (this.#extensionBytes > this.#limits.headerBytes)
      throw exhausted(`extended headers of ${this.#extensionBytes} bytes, at most ${this.#limits.headerBytes} are allowed`);
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

  #beginEntry(header: TarHeader): void {
    this.#entries++;
    if (this.#entries > this.#limits.entries) throw exhausted(`more than ${this.#limits.entries} entries`);
    const entry = this.#merge(header);
    this.#records = undefined;
    this.#longName = undefined;
    this.#longLink = undefined;
    this.#extensionBytes = 0;
    this.#name = entry.name;
    this.#handler.entry(entry);
    if (entry.sizeBytes > 0) this.#state = { at: 'data', left: entry.sizeBytes, padding: paddingOf(entry.sizeBytes) };
  }

  #merge(header: TarHeader): TarEntry {
    const records: PaxRecords = this.#globals.size === 0 ? (this.#records ?? this.#globals) : new Map([...this.#globals, ...(this.#records ?? [])]);
    const name = paxText(records, 'path') ?? this.#longName ?? header.name;
    const kind = kindOf(header.type, name, records);
    const sizeBytes = paxNumber(records, 'size') ?? header.sizeBytes;
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
      xattrs: records.size === 0 ? [] : xattrsOf(records),
    };
  }

  #pad(bytes: number): void {
    this.#state = bytes === 0 ? { at: 'header' } : { at: 'padding', left: bytes };
  }
}

function kindOf(type: string, name: string, records: PaxRecords): EntryKind {
  if (type === 'S' || (records.size > 0 && [...records.keys()].some((key) => key.startsWith('GNU.sparse.'))))
    throw new StrakeError('Unimplemented', `entry ${JSON.stringify(name)} is a sparse file: not supported in layers`, {
      fields: { layer: 'core', operation: 'untar' },
    });
  const kind = kinds[type];
  if (kind === undefined) throw damaged(`entry ${JSON.stringify(name)} has an unknown type ${JSON.stringify(type)}`);
  // Before there was a type for directories they were files with a slash at the end.
  return kind === 'file' && name.endsWith('/') ? 'directory' : kind;
}

function xattrsOf(records: PaxRecords): (readonly [string, Buffer])[] {
  return [...records].filter(([key]) => key.startsWith(xattrPrefix)).map(([key, value]) => [key.slice(xattrPrefix.length), value]);
}

function idOf(id: number): number {
  if (id >= 0xffff_ffff) throw damaged(`owner ${id} is out of range`);
  return id;
}

const paddingOf = (sizeBytes: number) => (blockBytes - (sizeBytes % blockBytes)) % blockBytes;

function exhausted(problem: string): StrakeError {
  return new StrakeError('ResourceExhausted', problem, { fields: { layer: 'core', operation: 'untar' } });
}
