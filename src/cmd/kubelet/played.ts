import { join } from 'node:path';

/** Where `strake kube play` leaves what it was given, for itself and for a kubelet of the same root directory. */
export function playedDirectory(rootDir: string): string {
  return join(rootDir, 'played');
}
