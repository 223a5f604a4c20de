import { closeSync, fstatSync, openSync, read } from 'node:fs';
import { type FileHandle, stat } from 'node:fs/promises';
import { promisify } from 'node:util';

const readAt = promisify(read);

const blockBytes = 64 << 10;
/** More rotated files than anybody keeps. */
const maxGenerations = 10_000;

/** The log and its rotated predecessors that are there, newest first: `x.log`, `x.log.1`, … */
export async function logGenerations(path: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (let generation = 0; generation < maxGenerations; generation++) {
    const file = generation === 0 ? path : `${path}.${generation}`;
    if (!(await exists(file))) break;
    found.push(file);
  }
  return found;
}

async function exists(file: string): Promise<boolean> {
  try {
    await stat(file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/** Where the last `lines` whole lines begin, and how many there are when the file has fewer. */
export async function tailStart(file: FileHandle, lines: number): Promise<{ readonly offset: number; readonly found: number }> {
  const { size } = await file.stat();
  const block = Buffer.alloc(blockBytes);
  let found = -1;
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - blockBytes);
    const { bytesRead } = await file.read(block, 0, end - start, start);
    for (let at = bytesRead - 1; at >= 0; at--) {
      if (block[at] !== 0x0a) continue;
      found += 1;
      if (found === lines) return { offset: start + at + 1, found };
    }
    end = start;
  }
  // The first line has no line break before it.
  return { offset: 0, found: found + 1 };
}

/** The generations that are newer than the file `inode`, opened, oldest first; all of them when that one is gone. */
export function openNewer(path: string, inode: number | undefined): readonly LineReader[] {
  const newer: LineReader[] = [];
  for (let generation = 0; generation < maxGenerations; generation++) {
    const reader = LineReader.openNow(generation === 0 ? path : `${path}.${generation}`);
    if (reader === undefined) break;
    if (reader.inode === inode) {
      reader.close();
      break;
    }
    newer.unshift(reader);
  }
  return newer;
}

/** Lines from `offset` on; stops at the end of the file as it is now. What follows the last line break waits for the next look. */
export class LineReader {
  readonly inode: number;
  private readonly fd: number;
  private offset: number;
  private rest = Buffer.alloc(0);
  private readonly block = Buffer.alloc(blockBytes);

  private constructor(fd: number, inode: number, offset: number) {
    this.fd = fd;
    this.inode = inode;
    this.offset = offset;
  }

  /** Undefined when there is no such file. */
  static openNow(path: string, offset = 0): LineReader | undefined {
    try {
      const fd = openSync(path, 'r');
      return new LineReader(fd, fstatSync(fd).ino, offset);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** The next block's lines; undefined at the end of what is there. */
  async next(): Promise<readonly string[] | undefined> {
    const { bytesRead } = await readAt(this.fd, this.block, 0, blockBytes, this.offset);
    if (bytesRead === 0) return undefined;
    this.offset += bytesRead;
    const data = this.rest.length === 0 ? this.block.subarray(0, bytesRead) : Buffer.concat([this.rest, this.block.subarray(0, bytesRead)]);
    const end = data.lastIndexOf(0x0a);
    this.rest = Buffer.from(data.subarray(end + 1));
    return end < 0 ? [] : data.toString('utf8', 0, end).split('\n');
  }

  close(): void {
    closeSync(this.fd);
  }
}
