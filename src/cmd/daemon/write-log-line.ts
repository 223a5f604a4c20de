import { writeSync } from 'node:fs';

/** One line to stderr at once, so that the last words of a daemon that dies are there. Nobody reading is no reason to fail. */
export function writeLogLine(line: string): void {
  try {
    writeSync(2, `${line}\n`);
  } catch {
    // EPIPE, EAGAIN of a full pipe, ENOSPC: the log is lost, the daemon is not.
  }
}
