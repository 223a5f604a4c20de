/**
 * The command's own descriptors by number. process.stdout and node:tty would do the same, but loading them costs a command 5 ms of its 12.
 */
import { fstatSync, writeSync } from 'node:fs';

/** Character device majors of terminals: tty, /dev/tty and console, Unix98 pty slaves, low-density serial, hvc (Linux Documentation/admin-guide/devices.txt). */
const isTerminalMajor = (major: number) => major === 4 || major === 5 || (major >= 136 && major <= 143) || major === 204 || major === 229;

export function isTerminal(descriptor: 0 | 1 | 2): boolean {
  try {
    const stat = fstatSync(descriptor);
    return stat.isCharacterDevice() && isTerminalMajor((stat.rdev >> 8) & 0xfff);
  } catch {
    return false;
  }
}

const retryableErrno = new Set(['EAGAIN', 'EINTR']);

/** Writes everything, waiting where the descriptor was made non-blocking by its other users. */
export function writeWhole(descriptor: 1 | 2, data: string | Uint8Array): void {
  let rest: Uint8Array = typeof data === 'string' ? Buffer.from(data) : data;
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(descriptor, rest));
    } catch (error) {
      if (!retryableErrno.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}
