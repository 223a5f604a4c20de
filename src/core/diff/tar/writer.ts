import { encodeEntry, endOfArchive, paddingOf } from './encode.ts';

export interface TarFile {
  /** relative, without a leading slash */
  readonly name: string;
  readonly type: 'file' | 'directory' | 'symlink';
  readonly mode: number;
  readonly content?: Uint8Array;
  readonly linkName?: string;
}

/** An archive in memory: owner root, times zero, so that equal content has equal digests. For small trees. */
export function writeTar(files: readonly TarFile[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const { name, type, mode, linkName = '', content = new Uint8Array() } of files) {
    const sizeBytes = content.length;
    parts.push(encodeEntry({ kind: type, name, linkName, mode, uid: 0, gid: 0, sizeBytes, mtimeNs: 0n, devMajor: 0, devMinor: 0, xattrs: [] }));
    parts.push(content, paddingOf(sizeBytes));
  }
  return Buffer.concat([...parts, endOfArchive]);
}
