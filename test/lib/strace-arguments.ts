import type { Call } from './strace.ts';

/** A line of `strake explain`: side, operation, and its fields as text; lists are arrays. */
export interface OperationLine {
  readonly text: string;
  readonly side: string;
  readonly op: string;
  readonly fields: Readonly<Record<string, string | readonly string[]>>;
}

/** `init mount_fs root=#0 target=/proc options=[mode=755 "a b"] attrs=0xe`, as src/kernel/program/format.ts writes it. */
export function readOperation(text: string): OperationLine {
  const [side = '', op = ''] = text.split(' ', 2);
  const value = String.raw`<\d+ bytes>|\[(?:"(?:[^"\\]|\\.)*"|[^\]"])*\]|"(?:[^"\\]|\\.)*"|\S+`;
  const fields = [...text.matchAll(new RegExp(String.raw` (\w+)=(${value})`, 'g'))].map(([, name = '', raw = '']) => [name, readValue(raw)] as const);
  return { text, side, op, fields: Object.fromEntries(fields) };
}

function readValue(raw: string): string | readonly string[] {
  if (raw.startsWith('[')) return (raw.slice(1, -1).match(/"(?:[^"\\]|\\.)*"|\S+/g) ?? []).map(unquote);
  return unquote(raw);
}

function unquote(text: string): string {
  return text.startsWith('"') ? (JSON.parse(text) as string) : text;
}

/** Fields whose text must stand in the calls, by operation: all that hold text, but for these. */
const unseen: Readonly<Record<string, readonly string[]>> = {
  monitor: ['oomFile'], // read by `reap`, at the exit
  lookup_exec: ['env'], // PATH alone is used, and it ends where the file is found
};

/** Numbers that must stand in the calls, by operation: the text that strace prints for them with `-X raw`. */
const numbers: Readonly<Record<string, (number: (field: string) => bigint, has: (field: string) => boolean) => readonly string[]>> = {
  open: (number) => [`{flags=${hex(number('flags'))},`],
  clone: (number, has) => [`clone3({flags=${hex(number('flags') | clonePidfd | (has('cgroup') ? cloneIntoCgroup : 0n))},`],
  propagation: (number) => [`, NULL, ${hex(number('flags'))}, NULL)`],
  mount_fs: (number) => [`, 0x1, ${hex(number('attrs'))})`],
  mount_bind: (number) => [...attributes(number), ...propagationOf(number)],
  mount_setattr: (number) => [...attributes(number), ...propagationOf(number)],
  mknod_in: (number) => [`, 0${number('mode').toString(8)}, ${hex(device(number('major'), number('minor')))})`],
  rlimit: (number) => [`, ${hex(number('resource'))}, {rlim_cur=${number('soft')}, rlim_max=${number('hard')}}`],
  umask: (number) => [`umask(0${number('mask').toString(8).padStart(2, '0')})`],
  set_user: (number) => [`setresgid(${Array(3).fill(number('gid')).join(', ')})`, `setresuid(${Array(3).fill(number('uid')).join(', ')})`],
  capset: (number) => ['effective', 'permitted', 'inheritable'].map((field) => `${field}=${halves(number(field))}`),
  no_new_privs: () => ['prctl(0x26, 1, 0, 0, 0)'],
  close_fds: (number) => [`close_range(${number('first')}, `, ', 4294967295, 0)'],
  oom_score_adj: (number) => [`"${number('value')}"`],
  seccomp: (number) => [`seccomp(0x1, ${hex(number('flags'))}, {len=${number('filter') / 8n},`],
};
const clonePidfd = 0x1000n;
const cloneIntoCgroup = 0x2_0000_0000n;

/** Capabilities travel as two words; strace prints both when the upper one is not empty. */
function halves(number: bigint): string {
  const [low, high] = [number & 0xffff_ffffn, number >> 32n];
  return high === 0n ? hex(low) : `${hex(low)}|${hex(high)}`;
}

/** As mknod(2) takes it: linux/kdev_t.h, new_encode_dev. */
function device(major: bigint, minor: bigint): bigint {
  return (minor & 0xffn) | (major << 8n) | ((minor & ~0xffn) << 12n);
}

function hex(number: bigint): string {
  return number === 0n ? '0' : `0x${number.toString(16)}`;
}

function attributes(number: (field: string) => bigint): readonly string[] {
  const clear = number('clear') | number('clearUnlocked');
  return number('set') === 0n && clear === 0n ? [] : [`attr_set=${hex(number('set'))}`, `attr_clr=${hex(clear)}`];
}

/** Recursion is a flag of the call. */
function propagationOf(number: (field: string) => bigint): readonly string[] {
  const flags = number('propagation') & ~recursiveFlag;
  return flags === 0n ? [] : [`propagation=${hex(flags)}`];
}
const recursiveFlag = 0x4000n;

/** What of the operation's arguments the calls do not show; undefined when all is there. */
export function wrongArguments(operation: OperationLine, taken: readonly Call[]): string | undefined {
  const seen = anonymous(taken.map(({ name, text }) => `${name}${text}`).join('\n'));
  const texts = Object.entries(operation.fields)
    .filter(([field, value]) => !unseen[operation.op]?.includes(field) && isText(value))
    .flatMap(([, value]) => (typeof value === 'string' ? [value] : value));
  const number = (field: string): bigint => readNumber(operation.fields[field]);
  const wanted = numbers[operation.op]?.(number, (field) => field in operation.fields) ?? [];
  const missing = [...texts.map(anonymous).filter((text) => !shows(seen, text)), ...wanted.filter((text) => !seen.includes(text))];
  return missing.length === 0 ? undefined : `no ${missing.join(', no ')}`;
}

/** Names that differ from one container to the next: its id, the snapshot's number. */
function anonymous(text: string): string {
  return text
    .replace(/\b[0-9a-f]{64}\b/g, 'CONTAINER')
    .replace(/\b[0-9a-f]{12}\b/g, 'CONTAINER')
    .replace(/snapshots\/\d+\//g, 'snapshots/NUMBER/');
}

function isText(value: string | readonly string[]): boolean {
  return typeof value !== 'string' || !/^(#?-?\d+|0x[0-9a-f]+|<\d+ bytes>)$/.test(value);
}

function readNumber(value: string | readonly string[] | undefined): bigint {
  const text = typeof value === 'string' ? value : '0';
  if (text.startsWith('#')) return BigInt(text.slice(1));
  const bytes = /^<(\d+) bytes>$/.exec(text)?.[1];
  return BigInt(bytes ?? text.replace(/^0(?=\d)/, '0o'));
}

/** A string of the call, or the end or beginning of a path in one; a path of which the parent is opened first; KEY=VALUE as two strings; lines one by one. */
function shows(seen: string, text: string): boolean {
  const lines = text.split('\n');
  return showsWhole(seen, text) || (lines.length > 1 && lines.every((line) => showsWhole(seen, line)));
}

function showsWhole(seen: string, text: string): boolean {
  const quoted = JSON.stringify(text).slice(1, -1);
  if ([`"${quoted}"`, `/${quoted}"`, `"${quoted}/`].some((form) => seen.includes(form))) return true;
  const slash = quoted.lastIndexOf('/');
  if (slash >= 0)
    return seen.includes(`"${quoted.slice(slash + 1)}"`) && (seen.includes(`"${quoted.slice(0, slash)}"`) || seen.includes(`"${quoted.slice(0, slash + 1)}"`));
  const equals = quoted.indexOf('=');
  return equals > 0 && seen.includes(`"${quoted.slice(0, equals)}", "${quoted.slice(equals + 1)}"`);
}
