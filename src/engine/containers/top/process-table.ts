import { readFileSync } from 'node:fs';

/** proc_pid_stat(5), and what ps makes of it. Times in clock ticks. */
export interface ProcessRow {
  readonly pid: number;
  readonly ppid: number;
  readonly pgid: number;
  readonly session: number;
  readonly uid: number;
  readonly gid: number;
  readonly state: string;
  readonly comm: string;
  readonly commandLine: string;
  readonly tty: number;
  readonly cpuTicks: number;
  readonly startTicks: number;
  readonly nice: number;
  readonly threads: number;
  readonly vszKiB: number;
  readonly rssKiB: number;
}

const pageKiB = 4;

/** Undefined when the process is gone. A command line is the container's own text: control characters become `?`, as ps does. */
export function readProcess(pid: number): ProcessRow | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const comm = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const number = (field: number) => Number(fields[field - 3]);
    const id = (name: string) => Number(new RegExp(`^${name}:\\s+\\d+\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
    const commandLine = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replace(/\0+$/, '').replaceAll('\0', ' ');
    return {
      pid,
      ppid: number(4),
      pgid: number(5),
      session: number(6),
      uid: id('Uid'),
      gid: id('Gid'),
      state: fields[0] ?? '?',
      comm: printable(comm),
      commandLine: commandLine === '' ? `[${printable(comm)}]` : printable(commandLine),
      tty: number(7),
      cpuTicks: number(14) + number(15),
      startTicks: number(22),
      nice: number(19),
      threads: number(20),
      vszKiB: Math.floor(number(23) / 1024),
      rssKiB: number(24) * pageKiB,
    };
  } catch {
    return undefined;
  }
}

function printable(text: string): string {
  return [...text].map((character) => (character < ' ' || character === '\u007f' ? '?' : character)).join('');
}
