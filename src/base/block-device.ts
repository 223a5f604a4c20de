import { readlink } from 'node:fs/promises';
import path from 'node:path';

/** `/dev/vda`; the numbers of a device that is gone. */
export async function blockDeviceName(major: number, minor: number): Promise<string> {
  try {
    return `/dev/${path.basename(await readlink(`/sys/dev/block/${major}:${minor}`))}`;
  } catch {
    return `${major}:${minor}`;
  }
}
