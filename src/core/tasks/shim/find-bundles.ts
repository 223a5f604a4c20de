import { readdirSync } from 'node:fs';
import path from 'node:path';
import { sweepDiscarded } from '../../../base/index.ts';

export interface FoundBundle {
  readonly namespace: string;
  readonly id: string;
}

const visitedAtOnce = 64;

/** The bundles of an earlier life, several at once, after what it discarded has been deleted: a shim that does not answer holds the others up as little as can be. */
export async function visitBundles(directory: string, visit: (bundle: FoundBundle) => Promise<void>): Promise<void> {
  for (const namespace of directoriesIn(directory)) await sweepDiscarded(path.join(directory, namespace));
  const found = listBundles(directory);
  const work = async () => {
    for (let next = found.shift(); next !== undefined; next = found.shift()) await visit(next);
  };
  await Promise.all(Array.from({ length: visitedAtOnce }, work));
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
