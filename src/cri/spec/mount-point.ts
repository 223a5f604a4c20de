import { type Mount, mountOf } from '../../base/index.ts';
import { invalid } from '../refusals.ts';

/** Mounts made on either side are to be seen on the other. */
export function checkShared(path: string): void {
  const mount = mountOf(path);
  if (!isShared(mount)) throw invalid(`path ${JSON.stringify(path)} is mounted on ${JSON.stringify(mount.target)} but it is not a shared mount`);
}

/** Mounts made on the machine are to be seen in the container. */
export function checkReceiving(path: string): void {
  const mount = mountOf(path);
  if (!isShared(mount) && !mount.tags.some((tag) => tag.startsWith('master:')))
    throw invalid(`path ${JSON.stringify(path)} is mounted on ${JSON.stringify(mount.target)} but it is not a shared or slave mount`);
}

function isShared({ tags }: Mount): boolean {
  return tags.some((tag) => tag.startsWith('shared:'));
}
