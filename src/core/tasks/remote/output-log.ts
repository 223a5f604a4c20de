/** The container's log, as the monitor writes it (native/log.c): Docker's json-file with rotation, or the CRI format. */
import { type FileHandle, open, rename, stat } from 'node:fs/promises';
import type { LogOptions } from '../tasks.ts';

/** moby daemon/logger/copier.go */
const maxLineBytes = 16_384;
const newline = 0x0a;

type StreamName = 'stdout' | 'stderr';

interface Line {
  parts: Buffer[];
  bytes: number;
  /** Earlier parts of it are written. */
  isPartial: boolean;
}

export class OutputLog {
  readonly #options: LogOptions;
  #file: FileHandle;
  #size: number;
  readonly #lines: Readonly<Record<StreamName, Line>> = { stdout: emptyLine(), stderr: emptyLine() };
  /** What goes to the file in one write: a daemon that is killed has lost what it read and did not write. */
  #waiting: Buffer[] = [];
  #last: Promise<void> = Promise.resolve();

  private constructor(options: LogOptions, file: FileHandle, size: number) {
    this.#options = options;
    this.#file = file;
    this.#size = size;
  }

  static async open(options: LogOptions): Promise<OutputLog> {
    const file = await open(options.path, 'a', 0o640);
    return new OutputLog(options, file, (await stat(options.path)).size);
  }

  /** In the order of the calls. */
  async write(stream: StreamName, data: Uint8Array): Promise<void> {
    const at = new Date();
    await this.#inTurn(async () => {
      const line = this.#lines[stream];
      for (let start = 0; start < data.length; ) {
        const room = maxLineBytes - line.bytes;
        const found = data.indexOf(newline, start);
        const end = Math.min(found === -1 ? data.length : found + 1, start + room);
        line.parts.push(Buffer.from(data.subarray(start, end)));
        line.bytes += end - start;
        start = end;
        const isWhole = data[end - 1] === newline;
        if (isWhole || line.bytes === maxLineBytes) await this.#put(stream, isWhole, at);
      }
      await this.#flush();
    });
  }

  /** Goes on in a new file: whoever rotates has moved the old one away. */
  async reopen(): Promise<void> {
    await this.#inTurn(async () => {
      const { path } = this.#options;
      const file = await open(path, 'a', 0o640);
      await this.#file.close();
      this.#file = file;
      this.#size = (await stat(path)).size;
    });
  }

  /** With the lines that have no end yet. */
  async close(): Promise<void> {
    await this.#inTurn(async () => {
      for (const stream of ['stdout', 'stderr'] as const) if (this.#lines[stream].bytes > 0) await this.#put(stream, true, new Date());
      await this.#flush();
      await this.#file.close();
    });
  }

  async #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    await done;
  }

  async #put(stream: StreamName, isWhole: boolean, at: Date): Promise<void> {
    const line = this.#lines[stream];
    const text = Buffer.concat(line.parts);
    line.parts = [];
    line.bytes = 0;
    line.isPartial = !isWhole;
    const time = at.toISOString();
    const entry =
      this.#options.driver === 'json-file'
        ? Buffer.from(`${JSON.stringify({ log: text.toString(), stream, time })}\n`)
        : Buffer.concat([Buffer.from(`${time} ${stream} ${isWhole ? 'F' : 'P'} `), text, text.at(-1) === newline ? Buffer.of() : Buffer.of(newline)]);
    const { maxSizeBytes } = this.#options;
    if (maxSizeBytes > 0 && this.#size > 0 && this.#size + entry.length > maxSizeBytes) await this.#rotate();
    this.#waiting.push(entry);
    this.#size += entry.length;
  }

  async #flush(): Promise<void> {
    const entries = Buffer.concat(this.#waiting);
    this.#waiting = [];
    if (entries.length > 0) await this.#file.appendFile(entries);
  }

  /** FILE.1 … FILE.(maxFiles-1), the oldest last; with one file it starts over. */
  async #rotate(): Promise<void> {
    await this.#flush();
    const { path, maxFiles } = this.#options;
    for (let index = maxFiles - 1; index > 0; index--) await renameIfThere(index > 1 ? `${path}.${index - 1}` : path, `${path}.${index}`);
    await this.#file.close();
    this.#file = await open(path, maxFiles > 1 ? 'a' : 'w', 0o640);
    this.#size = 0;
  }
}

function emptyLine(): Line {
  return { parts: [], bytes: 0, isPartial: false };
}

async function renameIfThere(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
