import { type FileHandle, open, stat } from 'node:fs/promises';

const blockBytes = 64 << 10;
/** More rotated files than anybody keeps. */
const maxGenerations = 10_000;

/** The log and its rotated predecessors that are there, newest first: `x.log`, `x.log.1`, … */
export async function logGenerations(path: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (let generation = 0; generation < maxGenerations; generation++) {
    const file = generation === 0 ? path : `${path}.${generation}`;
    if ((await inodeOf(file)) === undefined) break;
    found.push(file);
  }
  return found;
}

export async function inodeOf(file: string): Promise<number | undefined> {
  try {
    return (await stat(file)).ino;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
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

/** Lines from `offset` on; stops at the end of the file as it is now. `rest` is an incomplete last line. */
export class LineReader {
  readonly file: FileHandle;
  readonly inode: number;
  private offset: number;
  private rest = Buffer.alloc(0);
  private readonly block = Buffer.alloc(blockBytes);

  private constructor(file: FileHandle, inode: number, offset: number) {
    this.file = file;
    this.inode = inode;
    this.offset = offset;
  }

  static async open(path: string, offset = 0): Promise<LineReader> {
    const file = await open(path, 'r');
    return new LineReader(file, (await file.stat()).ino, offset);
  }

  /** The next block's lines; undefined at the end of what is there. */
  async next(): Promise<readonly string[] | undefined> {
    const { bytesRead } = await this.file.read(this.block, 0, blockBytes, this.offset);
    if (bytesRead === 0) return undefined;
    this.offset += bytesRead;
    const data = this.rest.length === 0 ? this.block.subarray(0, bytesRead) : Buffer.concat([this.rest, this.block.subarray(0, bytesRead)]);
    const end = data.lastIndexOf(0x0a);
    this.rest = Buffer.from(data.subarray(end + 1));
    return end < 0 ? [] : data.toString('utf8', 0, end).split('\n');
  }

  async close(): Promise<void> {
    await this.file.close();
  }
}
