import { readFileSync, writeFileSync } from 'node:fs';
import { replaceFile } from '../../../base/index.ts';
import { formatJson, parseJson, type RuntimeSpec } from '../../../oci/index.ts';
import type { ExitStatus, OciRuntimeBinary } from '../tasks.ts';
import { taskFiles } from './paths.ts';

/** What task.json keeps: enough to adopt a running container without a database. */
export interface TaskDescription {
  readonly id: string;
  readonly spec: RuntimeSpec;
  readonly note?: unknown;
  readonly bundle?: string | undefined;
  readonly runtime?: OciRuntimeBinary | undefined;
  /** See LocalProcessOptions. */
  readonly awaitMonitor?: boolean | undefined;
}

/** Host pids; the start time in clock ticks tells a process from a later one of the same number. */
export interface MonitorRecord {
  readonly pid: number;
  readonly startTime: bigint;
  readonly monitorPid: number;
}

/** Before anything is made: a daemon that is killed meanwhile leaves a directory without it. */
export function writeDescription(dir: string, description: TaskDescription): void {
  replaceFile(taskFiles.description(dir), formatJson(description));
}

export function readDescription(dir: string): TaskDescription | undefined {
  const text = readIfThere(taskFiles.description(dir));
  return text === undefined ? undefined : (parseJson(text, taskFiles.description(dir)) as TaskDescription);
}

/** "PID STARTTIME MONITORPID\n" */
export function readMonitorRecord(dir: string): MonitorRecord | undefined {
  const match = /^(\d+) (\d+) (\d+)\n$/.exec(readIfThere(taskFiles.pid(dir)) ?? '');
  return match === null ? undefined : { pid: Number(match[1]), startTime: BigInt(match[2] ?? 0), monitorPid: Number(match[3]) };
}

/** "CODE SIGNAL TIME_NS OOM\n" */
export function readExitRecord(dir: string): ExitStatus | undefined {
  const match = /^(-?\d+) (\d+) (\d+) (\d+)\n$/.exec(readIfThere(taskFiles.exit(dir)) ?? '');
  if (match === null) return undefined;
  return { code: Number(match[1]), signal: Number(match[2]), at: new Date(Number(BigInt(match[3] ?? 0) / 1_000_000n)), oomKilled: Number(match[4]) > 0 };
}

/** Whether nobody has told the exit yet, of this process or of one before it; from now on somebody has. */
export function claimTelling(dir: string): boolean {
  try {
    writeFileSync(taskFiles.told(dir), '', { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'EEXIST';
  }
}

export function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
