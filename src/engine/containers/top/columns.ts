import { readFileSync } from 'node:fs';
import os from 'node:os';
import { StrakeError } from '../../../base/index.ts';
import { parsePasswd } from '../../../core/index.ts';
import type { ProcessRow } from './process-table.ts';

const ticksPerSecond = 100;

export interface Column {
  readonly title: string;
  readonly value: (row: ProcessRow) => string;
}

/** By ps(1)'s format specifiers. */
const columns: Readonly<Record<string, Column>> = {
  pid: { title: 'PID', value: ({ pid }) => String(pid) },
  ppid: { title: 'PPID', value: ({ ppid }) => String(ppid) },
  pgid: { title: 'PGID', value: ({ pgid }) => String(pgid) },
  sid: { title: 'SID', value: ({ session }) => String(session) },
  uid: { title: 'UID', value: ({ uid }) => String(uid) },
  gid: { title: 'GID', value: ({ gid }) => String(gid) },
  user: { title: 'USER', value: ({ uid }) => userName(uid) },
  comm: { title: 'COMMAND', value: ({ comm }) => comm },
  args: { title: 'COMMAND', value: ({ commandLine }) => commandLine },
  cmd: { title: 'CMD', value: ({ commandLine }) => commandLine },
  c: { title: 'C', value: (row) => String(Math.floor(cpuPercent(row))) },
  pcpu: { title: '%CPU', value: (row) => cpuPercent(row).toFixed(1) },
  pmem: { title: '%MEM', value: ({ rssKiB }) => ((rssKiB * 1024 * 100) / os.totalmem()).toFixed(1) },
  stime: { title: 'STIME', value: (row) => startText(row) },
  start: { title: 'START', value: (row) => startText(row) },
  tty: { title: 'TTY', value: ({ tty }) => ttyName(tty) },
  time: { title: 'TIME', value: ({ cpuTicks }) => clockText(Math.floor(cpuTicks / ticksPerSecond)) },
  minutes: { title: 'TIME', value: ({ cpuTicks }) => minutesText(Math.floor(cpuTicks / ticksPerSecond)) },
  stat: { title: 'STAT', value: ({ state }) => state },
  s: { title: 'S', value: ({ state }) => state },
  vsz: { title: 'VSZ', value: ({ vszKiB }) => String(vszKiB) },
  rss: { title: 'RSS', value: ({ rssKiB }) => String(rssKiB) },
  ni: { title: 'NI', value: ({ nice }) => String(nice) },
  nlwp: { title: 'NLWP', value: ({ threads }) => String(threads) },
};

const aliases: Readonly<Record<string, string>> = {
  command: 'args',
  '%cpu': 'pcpu',
  '%mem': 'pmem',
  tt: 'tty',
  tname: 'tty',
  state: 's',
  euser: 'user',
  ucmd: 'comm',
  thcount: 'nlwp',
  sess: 'sid',
  nice: 'ni',
  cputime: 'time',
  rssize: 'rss',
  vsize: 'vsz',
};

const full = ['user', 'pid', 'ppid', 'c', 'stime', 'tty', 'time', 'cmd'];
const bsd = ['user', 'pid', 'pcpu', 'pmem', 'vsz', 'rss', 'tty', 'stat', 'start', 'minutes', 'args'];

/** The columns that ps shows for these arguments: `-ef` and its kin, `aux`, or `-o LIST`. InvalidArgument for others. */
export function parsePsArguments(text: string): readonly Column[] {
  const words = text.split(/\s+/).filter((word) => word !== '');
  const format = /(?:^|\s)-?[A-Za-z]*o\s*([\w%=,\s]+)$/.exec(text);
  if (format !== null) {
    const chosen = (format[1] ?? '')
      .split(/[\s,]+/)
      .filter((name) => name !== '')
      .map(column);
    if (!chosen.some(({ title }) => title === 'PID')) throw new StrakeError('Internal', "Couldn't find PID field in ps output");
    return chosen;
  }
  if (words.every((word) => /^-?[auxw]+$/.test(word)) && words.join('').includes('u')) return bsd.map(column);
  if (words.every((word) => /^-[eAfFww]+$/.test(word)))
    return words.some((word) => /f/i.test(word))
      ? full.map((name) => (name === 'user' ? { ...column('user'), title: 'UID' } : column(name)))
      : ['pid', 'tty', 'time', 'comm'].map((name) => (name === 'comm' ? { ...column('comm'), title: 'CMD' } : column(name)));
  throw new StrakeError('InvalidArgument', `ps arguments ${JSON.stringify(text)} are not supported: use -ef, aux or -o with a list of columns`);
}

function column(name: string): Column {
  const [key = '', title] = name.toLowerCase().split('=');
  const known = columns[aliases[key] ?? key];
  if (known === undefined) throw new StrakeError('InvalidArgument', `error: unknown user-defined format specifier ${JSON.stringify(name)}`);
  return title === undefined || title === '' ? known : { ...known, title: name.slice(name.indexOf('=') + 1) };
}

/** Of the host, as ps on the host shows; eight characters at most. */
function userName(uid: number): string {
  let name: string | undefined;
  try {
    name = parsePasswd(readFileSync('/etc/passwd', 'utf8')).find((user) => user.uid === uid)?.name;
  } catch {
    name = undefined;
  }
  if (name === undefined) return String(uid);
  return name.length > 8 ? `${name.slice(0, 7)}+` : name;
}

function cpuPercent({ cpuTicks, startTicks }: ProcessRow): number {
  const aliveSeconds = os.uptime() - startTicks / ticksPerSecond;
  return aliveSeconds <= 0 ? 0 : (cpuTicks / ticksPerSecond / aliveSeconds) * 100;
}

/** Within a day the time, then the date. */
function startText({ startTicks }: ProcessRow): string {
  const started = new Date(Date.now() - (os.uptime() - startTicks / ticksPerSecond) * 1000);
  if (Date.now() - started.getTime() < 86_400_000) return `${two(started.getHours())}:${two(started.getMinutes())}`;
  return `${started.toLocaleString('en-US', { month: 'short' })}${two(started.getDate())}`;
}

/** Majors 136–143 are ptys (Documentation/admin-guide/devices.txt). */
function ttyName(device: number): string {
  const major = (device >> 8) & 0xfff;
  const minor = (device & 0xff) | ((device >> 12) & 0xfff00);
  if (device === 0) return '?';
  if (major >= 136 && major <= 143) return `pts/${(major - 136) * 256 + minor}`;
  return major === 4 ? `tty${minor}` : '?';
}

function clockText(seconds: number): string {
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

function minutesText(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${two(seconds % 60)}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
