import { randomBytes } from 'node:crypto';
import { existsSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Room for the records of a few hundred removals. Random, so that no file system makes it smaller. */
const reserveBytes = 1 << 20;
/** With less than so much it is not taken: whoever writes meanwhile needs it more. */
const roomBytes = 8 << 20;

/** A file that is given up when the disk is full: without it, nothing could be removed any more, as a removal is written down too. */
export class DiskReserve {
  readonly #root: string;
  readonly #file: string;

  constructor(root: string) {
    this.#root = root;
    this.#file = path.join(root, 'disk-reserve');
  }

  /** Takes the room, if there is room. */
  hold(): void {
    if (existsSync(this.#file)) return;
    try {
      const { bavail, bsize } = statfsSync(this.#root);
      if (bavail * bsize < roomBytes) return;
      writeFileSync(this.#file, randomBytes(reserveBytes), { mode: 0o600 });
    } catch {
      // What was written of it is needed more elsewhere. It is tried again.
      rmSync(this.#file, { force: true });
    }
  }

  /** Gives the room up; false when there was none left to give. */
  release(): boolean {
    if (!existsSync(this.#file)) return false;
    rmSync(this.#file, { force: true });
    return true;
  }
}
