/** passwd(5) and group(5) of a root filesystem. Both are hostile input: a line that is not exact is skipped, never guessed at. */

export interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

export interface GroupEntry {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

/** uid_t without the sign bit: what docker and runc accept. */
export const maxId = 2 ** 31 - 1;

export function parsePasswd(text: string): readonly PasswdEntry[] {
  const entries: PasswdEntry[] = [];
  for (const fields of records(text)) {
    const [name, , uidText, gidText, , home = ''] = fields;
    const uid = parseId(uidText);
    const gid = parseId(gidText);
    if (name === undefined || name === '' || uid === undefined || gid === undefined || hasControl(home)) continue;
    entries.push({ name, uid, gid, home: home === '' ? '/' : home });
  }
  return entries;
}

export function parseGroup(text: string): readonly GroupEntry[] {
  const entries: GroupEntry[] = [];
  for (const [name, , gidText, members = ''] of records(text)) {
    const gid = parseId(gidText);
    if (name === undefined || name === '' || gid === undefined) continue;
    entries.push({ name, gid, members: members.split(',').filter((member) => member !== '') });
  }
  return entries;
}

function* records(text: string): Generator<readonly string[]> {
  for (const line of text.split('\n')) {
    const trimmed = line.trim();
    if (trimmed !== '' && !trimmed.startsWith('#')) yield trimmed.split(':');
  }
}

function parseId(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,10}$/.test(text)) return undefined;
  const id = Number(text);
  return id <= maxId ? id : undefined;
}

function hasControl(text: string): boolean {
  return [...text].some((character) => character < ' ' || character === '\u007f');
}
