import { readdirSync } from 'node:fs';
import path from 'node:path';
import { sweepDiscarded } from '../../../base/index.ts';

export interface FoundBundle {
  readonly namespace: string;
  readonly id: string;
}

/** The bundles of an earlier life, after what it discarded has been deleted. */
export async function findBundles(directory: string): Promise<FoundBundle[]> {
  for (const namespace of directoriesIn(directory)) await sweepDiscarded(path.join(directory, namespace));
  return listBundles(directory);
}

export function listBundles(directory: string): FoundBundle[] {
  return directoriesIn(directory).flatMap((namespace) => directoriesIn(path.join(directory, namespace)).map((id) => ({ namespace, id })));
}

/** Without what is on its way out. */
function directoriesIn(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => name);
}
