import { readdirSync } from 'node:fs';
import path from 'node:path';
import { sweepDiscarded } from '../../../base/index.ts';

export interface FoundBundle {
  readonly namespace: string;
  readonly id: string;
}

/** The bundles of an earlier life, after what it discarded has been deleted. */
export async function findBundles(directory: string): Promise<FoundBundle[]> {
  const found: FoundBundle[] = [];
  for (const { name: namespace } of readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
    for (const id of await sweepDiscarded(path.join(directory, namespace))) found.push({ namespace, id });
  }
  return found;
}
