import { posix } from 'node:path';

/** A file of an initramfs; its directories are made by themselves. */
export interface CpioFile {
  readonly path: string;
  readonly data: Buffer;
  readonly mode: number;
}

const directoryType = 0o040000;
const fileType = 0o100000;
const alignment = 4;

/** An initramfs in cpio's "newc" format (the kernel's Documentation/driver-api/early-userspace/buffer-format.rst). */
export function cpio(files: readonly CpioFile[]): Buffer {
  const directories = new Set(files.flatMap(({ path }) => ancestors(path)));
  let inode = 1;
  return Buffer.concat([
    ...[...directories].map((path) => record(path, inode++, directoryType | 0o755, Buffer.alloc(0))),
    ...files.map(({ path, data, mode }) => record(path, inode++, fileType | mode, data)),
    record('TRAILER!!!', 0, 0, Buffer.alloc(0)),
  ]);
}

/** `a/b/c` → `a`, `a/b`. */
function ancestors(path: string): string[] {
  const parent = posix.dirname(path);
  return parent === '.' ? [] : [...ancestors(parent), parent];
}

function record(path: string, inode: number, mode: number, data: Buffer): Buffer {
  const name = Buffer.from(`${path}\0`);
  // inode, mode, uid, gid, links, mtime, size, device major and minor, special file's major and minor, name's length, checksum
  const fields = [inode, mode, 0, 0, 1, 0, data.length, 0, 0, 0, 0, name.length, 0];
  const header = Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`);
  return Buffer.concat([padded(Buffer.concat([header, name])), padded(data)]);
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((alignment - (bytes.length % alignment)) % alignment)]);
}
