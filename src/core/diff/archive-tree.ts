import type { FileTree } from './diff.ts';
import { endOfArchive } from './tar/encode.ts';
import { TreeTar } from './tree-tar.ts';

export interface ArchiveOptions {
  /** Where in the tree it begins; its last name is not followed. The root by default. */
  readonly path?: string;
  /** What `path` is called in the archive, without a slash at the end; '' puts what is below it at the top, without an entry for itself. By default so. */
  readonly name?: string;
  /** Also what is mounted below. */
  readonly crossMounts?: boolean;
}

/** A tree, or a part of it, as a tar stream: the same tree gives the same bytes. Sockets are left out. NotFound when there is nothing at `path`. */
export async function* archiveTree(tree: FileTree, { path = '', name = '', crossMounts = false }: ArchiveOptions = {}): AsyncGenerator<Uint8Array> {
  const tar = new TreeTar();
  for await (const items of tree.walk(path, { content: true, crossMounts })) {
    for (const item of items) {
      if (item.type === 'data') tar.data(item.data);
      else if (item.entry.path !== '' || name !== '') tar.put(item.entry, [name, item.entry.path].filter((part) => part !== '').join('/'));
    }
    if (tar.isFull) yield tar.take();
  }
  yield Buffer.concat([tar.take(), endOfArchive]);
}
