import type { ContainerChange } from '../api/docker/index.ts';
import type { Change } from '../core/index.ts';

/** Docker's numbers. */
const kinds = { modified: 0, added: 1, deleted: 2 } as const satisfies Record<Change['kind'], ContainerChange['Kind']>;

/** As Docker tells them: with a path, the directories that it is in, whether they changed themselves or not. */
export async function* toChanges(changes: AsyncIterable<readonly Change[]>): AsyncGenerator<readonly ContainerChange[]> {
  /** Directories around the last path, outermost first: the order of paths leaves each once. */
  let around: string[] = [];
  for await (const batch of changes) {
    const told: ContainerChange[] = [];
    for (const { kind, path } of batch) {
      around = around.filter((directory) => path.startsWith(`${directory}/`));
      for (const directory of parentsOf(path)) {
        if (around.includes(directory)) continue;
        around.push(directory);
        told.push({ Path: directory, Kind: kinds.modified });
      }
      told.push({ Path: path, Kind: kinds[kind] });
      around.push(path);
    }
    yield told;
  }
}

/** Outermost first, without the root. */
function parentsOf(path: string): readonly string[] {
  const parts = path.split('/').slice(1, -1);
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join('/')}`);
}
