import { StrakeError } from '../../base/index.ts';
import type { WalkEntry } from '../../kernel/index.ts';
import { isLayerXattr } from './xattrs.ts';

/** What a walk over two trees finds, in the order of the upper one: parents before what they hold. */
export type Difference =
  | { readonly kind: 'added' | 'modified' | 'same'; readonly entry: WalkEntry }
  /** Content of the entry before, where the walk has it at hand. */
  | { readonly kind: 'data'; readonly data: Uint8Array }
  /** With all that was below. */
  | { readonly kind: 'deleted'; readonly path: string }
  /** The directory before this has nothing of the lower tree. */
  | { readonly kind: 'opaque'; readonly path: string };

type Metadata = Pick<WalkEntry, 'mode' | 'uid' | 'gid'>;

/** Of the root directory: its time changes with whatever is made below. */
export function sameRoot(a: Metadata & Partial<Pick<WalkEntry, 'xattrs'>>, b: Metadata & Partial<Pick<WalkEntry, 'xattrs'>>): boolean {
  return a.mode === b.mode && a.uid === b.uid && a.gid === b.gid && xattrsText(a.xattrs) === xattrsText(b.xattrs);
}

/** All that a layer says of an entry, but for the content. */
export function sameMetadata(a: WalkEntry, b: WalkEntry): boolean {
  const isDirectory = (a.mode & 0o170000) === 0o040000;
  return (
    sameRoot(a, b) &&
    a.mtimeNs === b.mtimeNs &&
    a.devMajor === b.devMajor &&
    a.devMinor === b.devMinor &&
    a.linkTarget === b.linkTarget &&
    (isDirectory || a.sizeBytes === b.sizeBytes)
  );
}

function xattrsText(xattrs: WalkEntry['xattrs'] = []): string {
  return xattrs
    .filter(([name]) => isLayerXattr(name))
    .map(([name, value]) => `${name}=${value.toString('hex')}`)
    .sort()
    .join();
}

/** undefined for what is not there; a name below something that is no directory is not there either. */
export async function orMissing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    const errno = error instanceof StrakeError ? error.fields.errno : undefined;
    if (errno === 'ENOENT' || errno === 'ENOTDIR') return undefined;
    throw error;
  }
}
