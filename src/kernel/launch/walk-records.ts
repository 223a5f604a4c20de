import { pathText } from '../../base/index.ts';

/** One entry of a tree, as lstat(2) has it. */
export interface WalkEntry {
  /** Below where the walk began, which itself is ''. */
  readonly path: string;
  /** With the type bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly links: number;
  /** Of a device. */
  readonly devMajor: number;
  readonly devMinor: number;
  readonly sizeBytes: number;
  readonly mtimeNs: bigint;
  readonly inode: bigint;
  readonly linkTarget: string;
  readonly xattrs: readonly (readonly [name: string, value: Buffer])[];
  /** `sizeBytes` of content come next. */
  readonly hasContent: boolean;
  /** Another name of a file that came before, with this inode. */
  readonly isLink: boolean;
}

export type WalkItem = { readonly type: 'entry'; readonly entry: WalkEntry } | { readonly type: 'data'; readonly data: Buffer };

/** Sizes and flags of native/ops.def, file_walk. */
const entryHeaderBytes = 56;
const contentHeaderBytes = 5;
const entryRecord = 1;
const flags = { content: 1, link: 2 } as const;

/** The records of one frame of file_walk; data shares its memory. */
export function decodeWalk(frame: Buffer): WalkItem[] {
  const items: WalkItem[] = [];
  for (let at = 0; at < frame.length; ) {
    if (frame[at] === entryRecord) {
      const { entry, end } = decodeEntry(frame, at);
      items.push({ type: 'entry', entry });
      at = end;
      continue;
    }
    const start = at + contentHeaderBytes;
    at = start + frame.readUInt32LE(at + 1);
    items.push({ type: 'data', data: frame.subarray(start, at) });
  }
  return items;
}

function decodeEntry(frame: Buffer, at: number): { readonly entry: WalkEntry; readonly end: number } {
  const pathEnd = at + entryHeaderBytes + frame.readUInt16LE(at + 2);
  const targetEnd = pathEnd + frame.readUInt16LE(at + 4);
  const entryFlags = frame[at + 1] ?? 0;
  const { xattrs, end } = decodeXattrs(frame, targetEnd, frame.readUInt16LE(at + 6));
  const entry = {
    path: pathText(frame, at + entryHeaderBytes, pathEnd),
    mode: frame.readUInt32LE(at + 8),
    uid: frame.readUInt32LE(at + 12),
    gid: frame.readUInt32LE(at + 16),
    links: frame.readUInt32LE(at + 20),
    devMajor: frame.readUInt32LE(at + 24),
    devMinor: frame.readUInt32LE(at + 28),
    sizeBytes: Number(frame.readBigUInt64LE(at + 32)),
    mtimeNs: frame.readBigInt64LE(at + 40),
    inode: frame.readBigUInt64LE(at + 48),
    linkTarget: pathText(frame, pathEnd, targetEnd),
    xattrs,
    hasContent: (entryFlags & flags.content) !== 0,
    isLink: (entryFlags & flags.link) !== 0,
  };
  return { entry, end };
}

function decodeXattrs(frame: Buffer, start: number, count: number): { readonly xattrs: [string, Buffer][]; readonly end: number } {
  const xattrs: [string, Buffer][] = [];
  let end = start;
  for (let left = count; left > 0; left--) {
    const name = end + 6;
    const value = name + frame.readUInt16LE(end);
    end = value + frame.readUInt32LE(end + 2);
    xattrs.push([pathText(frame, name, value), frame.subarray(value, end)]);
  }
  return { xattrs, end };
}
