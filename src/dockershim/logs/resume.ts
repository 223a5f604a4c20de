import { type FileHandle, open } from 'node:fs/promises';

/** Of the end of a log, which has the last entry whole: those are 16 KiB at most. */
const tailBytes = 256 << 10;

export interface ResumePoint {
  /** Of the last entry; undefined: there is none. */
  readonly time: string | undefined;
  /** Entries of that time which are written already. */
  readonly written: number;
}

/** Where a log goes on that was written before; the rest of a line that a crash has cut off is cut off too. */
export async function resumePoint(path: string): Promise<ResumePoint> {
  let file: FileHandle;
  try {
    file = await open(path, 'r+');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { time: undefined, written: 0 };
    throw error;
  }
  try {
    const { size } = await file.stat();
    const start = Math.max(0, size - tailBytes);
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(size - start), position: start });
    const whole = buffer.subarray(0, bytesRead).lastIndexOf(10) + 1;
    if (whole < bytesRead) await file.truncate(start + whole);
    const times = buffer
      .subarray(0, whole)
      .toString('latin1')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.slice(0, line.indexOf(' ')));
    const time = times.at(-1);
    return { time, written: times.filter((other) => other === time).length };
  } finally {
    await file.close();
  }
}
