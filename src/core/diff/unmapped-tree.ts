import type { WalkEntry, WalkItem, WalkOptions } from '../../kernel/index.ts';
import type { IdMap } from '../../runtime/index.ts';
import type { FileFacts, FileTree } from './diff.ts';

/** linux/capability.h: revision 3 is revision 2 and the owner of the user namespace that it holds in. */
const capability = { name: 'security.capability', revisionMask: 0xff00_0000, revision2: 0x0200_0000, revision3: 0x0300_0000, bytes2: 20, bytes3: 24 } as const;

/**
 * A tree whose owners are mapped, with those that they are in the container: of these a layer speaks, wherever it will be unpacked. An owner that is not in the
 * map stays. For reading alone.
 */
export function unmappedTree(tree: FileTree, map: IdMap): FileTree {
  const [uid, gid] = [inverse(map.uids), inverse(map.gids)];
  const owners = <Owned extends Pick<WalkEntry, 'uid' | 'gid'>>(owned: Owned): Owned => ({ ...owned, uid: uid(owned.uid), gid: gid(owned.gid) });
  const unmapped = (item: WalkItem): WalkItem => {
    if (item.type === 'data') return item;
    const xattrs = item.entry.xattrs.map(([name, value]) => [name, name === capability.name ? plainCapability(value, uid) : value] as const);
    return { ...item, entry: { ...owners(item.entry), xattrs } };
  };
  return {
    write: async (operations) => await tree.write(operations),
    sync: async (durable) => await tree.sync(durable),
    list: async (path) => await tree.list(path),
    stat: async (path): Promise<FileFacts> => owners(await tree.stat(path)),
    async *walk(path: string, options?: WalkOptions) {
      for await (const items of tree.walk(path, options)) yield items.map(unmapped);
    },
    readStream: (path) => tree.readStream(path),
    [Symbol.asyncDispose]: async () => await tree[Symbol.asyncDispose](),
  };
}

/** What a container's root gave a file holds for every container that unpacks the layer. */
function plainCapability(value: Buffer, uid: (id: number) => number): Buffer {
  if (value.length !== capability.bytes3) return value;
  const magic = value.readUInt32LE(0);
  if ((magic & capability.revisionMask) >>> 0 !== capability.revision3 || uid(value.readUInt32LE(capability.bytes2)) !== 0) return value;
  const plain = Buffer.from(value.subarray(0, capability.bytes2));
  plain.writeUInt32LE(((magic & ~capability.revisionMask) | capability.revision2) >>> 0, 0);
  return plain;
}

/** From the ids that are shown to those inside; the text is of lines `INSIDE SHOWN SIZE`. */
function inverse(text: string): (id: number) => number {
  const extents = text
    .trim()
    .split('\n')
    .map((line) => line.split(' ').map(Number));
  return (id) => {
    for (const [inside = 0, shown = 0, size = 0] of extents) if (id >= shown && id < shown + size) return inside + id - shown;
    return id;
  };
}
