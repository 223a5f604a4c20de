import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { capture } from '../tools/peers/shell.ts';

/** Names the disk, in the process that measures. */
const variable = 'STRAKE_BENCH_DISK';
const sizeBytes = 24 * 2 ** 30;

/**
 * A file with an ext4 in it, with a journal as machines have it, on which all that is measured keeps its data. The machine's own may have none: then the kernel
 * looks for a free inode through all that were deleted in the last minutes (fs/ext4/ialloc.c, recently_deleted), and whoever pulls after a removal waits for
 * that alone.
 */
export const disk = process.env[variable];

/** For the next world, when the one before is over. */
export function emptyDisk(): void {
  if (disk !== undefined) format(disk);
}

function format(file: string): void {
  // All of it now: the kernel would else do the rest in the background.
  capture(['mkfs.ext4', '-q', '-F', '-E', 'lazy_itable_init=0,lazy_journal_init=0,nodiscard', file]);
}

/** Runs this program again in a mount namespace of its own, which takes the mount with it, whatever happens. Answers its exit status. */
export function measureOnDisk(argv: readonly string[]): number {
  const directory = mkdtempSync(join(tmpdir(), 'strake-bench-'));
  const file = join(directory, 'disk');
  try {
    capture(['truncate', '--size', String(sizeBytes), file]);
    format(file);
    const [program = '', ...rest] = argv;
    const { status, error } = spawnSync('unshare', ['--mount', '--propagation', 'private', program, ...rest], {
      stdio: 'inherit',
      env: { ...process.env, [variable]: file },
    });
    if (error) throw error;
    return status ?? 1;
  } finally {
    rmSync(directory, { recursive: true });
  }
}
