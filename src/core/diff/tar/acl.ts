// POSIX access control lists: as text in archives of star, GNU tar and libarchive, as an extended attribute in the kernel (linux/posix_acl_xattr.h).

const version = 2;
const noId = 0xffff_ffff;
/** linux/posix_acl.h: of the owner, of a user or group by id, of the group, the mask, of others. */
const tags = { owner: 1, user: 2, group: 4, namedGroup: 8, mask: 16, other: 32 } as const;
const permissionBits: Readonly<Record<string, number>> = { r: 4, w: 2, x: 1, '-': 0 };

interface AclEntry {
  readonly tag: number;
  readonly permissions: number;
  readonly id: number;
}

/**
 * The attribute of a text such as `user::rw-,user:lisa:r--:502,group::r--,mask::r--,other::r--`. undefined where it names an account without its number:
 * accounts are the root filesystem's, and are not looked up.
 */
export function aclXattr(text: string): Buffer | undefined {
  const entries: AclEntry[] = [];
  for (const line of text.split(/[,\n]/)) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const entry = parseEntry(line.trim());
    if (entry === undefined) return undefined;
    entries.push(entry);
  }
  if (entries.length === 0) return undefined;
  entries.sort((a, b) => a.tag - b.tag || a.id - b.id);
  const value = Buffer.alloc(4 + 8 * entries.length);
  value.writeUInt32LE(version, 0);
  for (const [index, { tag, permissions, id }] of entries.entries()) {
    value.writeUInt16LE(tag, 4 + 8 * index);
    value.writeUInt16LE(permissions, 6 + 8 * index);
    value.writeUInt32LE(id, 8 + 8 * index);
  }
  return value;
}

function parseEntry(line: string): AclEntry | undefined {
  const match = /^(user|u|group|g|mask|m|other|o):([^:]*):([rwx-]{3})(?::(\d{1,10}))?$/.exec(line);
  if (!match) return undefined;
  const [, kind = '', name = '', letters = '', number] = match;
  const permissions = [...letters].reduce((bits, letter) => bits | (permissionBits[letter] ?? 0), 0);
  const named = name !== '';
  if (kind.startsWith('m')) return { tag: tags.mask, permissions, id: noId };
  if (kind.startsWith('o')) return { tag: tags.other, permissions, id: noId };
  const isUser = kind.startsWith('u');
  if (!named) return { tag: isUser ? tags.owner : tags.group, permissions, id: noId };
  const id = Number(number ?? (/^\d{1,10}$/.test(name) ? name : Number.NaN));
  return Number.isInteger(id) && id < noId ? { tag: isUser ? tags.user : tags.namedGroup, permissions, id } : undefined;
}
