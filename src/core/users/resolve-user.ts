import { StrakeError } from '../../base/index.ts';
import { type GroupEntry, maxId, type PasswdEntry } from './account-files.ts';

export interface ResolvedUser {
  readonly uid: number;
  readonly gid: number;
  /** The primary group too: it must not be lost when a setgid program changes it (CVE-2022-36109). */
  readonly additionalGids: readonly number[];
  readonly home: string;
}

export interface Accounts {
  readonly users: readonly PasswdEntry[];
  readonly groups: readonly GroupEntry[];
}

/**
 * `USER`, `UID`, `USER:GROUP`, … as docker and runc read them (moby/sys/user: GetExecUser): digits are an id even where a name of digits
 * exists; an id needs no entry; what is neither is an error, never root.
 */
export function resolveUser(spec: string, { users, groups }: Accounts, groupAdd: readonly string[] = []): ResolvedUser {
  const at = spec.indexOf(':');
  const userText = at < 0 ? spec : spec.slice(0, at);
  const groupText = at < 0 ? '' : spec.slice(at + 1);
  const wantedUid = userText === '' ? 0 : parseInteger(userText);
  const entry = users.find((user) => (wantedUid === undefined ? user.name === userText : user.uid === wantedUid));
  if (entry === undefined && wantedUid === undefined)
    throw new StrakeError('InvalidArgument', `unable to find user ${userText}: no matching entries in passwd file`);
  const uid = entry?.uid ?? inRange(wantedUid ?? 0);
  const gid = groupText === '' ? (entry?.gid ?? 0) : findGroup(groupText, groups);
  const listed = groupText === '' ? groupsOf(entry, groups) : [];
  const added = groupAdd.map((text) => addedGroup(text, groups));
  return { uid, gid, additionalGids: [...new Set([gid, ...listed, ...added])], home: entry?.home ?? '/' };
}

/** What a pod says of the groups of its process. */
export interface PodGroups {
  /** Instead of the user's own. */
  readonly gid?: number | undefined;
  readonly given: readonly number[];
  /** What the user is a member of by the image's file does not count. */
  readonly isStrict: boolean;
}

/** As Kubernetes has it: whatever primary group the pod asks for, the image's file says what the user is a member of besides. */
export function resolvePodUser(spec: string, { gid: wanted, given, isStrict }: PodGroups, accounts: Accounts): ResolvedUser {
  const resolved = resolveUser(spec, accounts);
  const gid = wanted ?? resolved.gid;
  const entry = accounts.users.find(({ uid }) => uid === resolved.uid);
  const listed = isStrict ? [] : groupsOf(entry, accounts.groups);
  return { ...resolved, gid, additionalGids: [...new Set([gid, ...listed, ...given])] };
}

/** What the image's file says a user is a member of. */
function groupsOf(user: PasswdEntry | undefined, groups: readonly GroupEntry[]): readonly number[] {
  return user === undefined ? [] : groups.filter(({ members }) => members.includes(user.name)).map(({ gid }) => gid);
}

function findGroup(text: string, groups: readonly GroupEntry[]): number {
  const wanted = parseInteger(text);
  const entry = groups.find((group) => (wanted === undefined ? group.name === text : group.gid === wanted));
  if (entry !== undefined) return entry.gid;
  if (wanted === undefined) throw new StrakeError('InvalidArgument', `unable to find group ${text}: no matching entries in group file`);
  return inRange(wanted);
}

function addedGroup(text: string, groups: readonly GroupEntry[]): number {
  const entry = groups.find((group) => group.name === text || String(group.gid) === text);
  if (entry !== undefined) return entry.gid;
  const wanted = parseInteger(text);
  if (wanted === undefined) throw new StrakeError('InvalidArgument', `Unable to find group ${text}`);
  return inRange(wanted);
}

/** Go's strconv.Atoi: decimal digits with a sign; `1e3`, `0x0` and `1000abc` are not numbers. */
function parseInteger(text: string): number | undefined {
  return /^[+-]?\d+$/.test(text) ? Number(text) : undefined;
}

/** Docker's text. */
function inRange(id: number): number {
  if (id < 0 || id > maxId) throw new StrakeError('InvalidArgument', `uids and gids must be in range 0-${maxId}`);
  return id;
}
