import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { replaceFile } from '../../../base/index.ts';
import { formatJson, parseJson, type RuntimeSpec } from '../../../oci/index.ts';
import type { StdioOptions } from '../tasks.ts';

/** Go's types of which containerd's clients send JSON. */
export const specValueTypes = {
  process: 'types.containerd.io/opencontainers/runtime-spec/1/Process',
  resources: 'types.containerd.io/opencontainers/runtime-spec/1/LinuxResources',
} as const;

/** What is kept of a task, to find it again: `task.json` in its directory. */
export interface TaskRecord {
  readonly id: string;
  readonly spec: RuntimeSpec;
  readonly stdio: StdioOptions;
  readonly note?: unknown;
  /** The record of the container was made for it, and goes with it. */
  readonly ownsContainer: boolean;
}

const fileOf = (dir: string) => path.join(dir, 'task.json');
const pidFileOf = (dir: string) => path.join(dir, 'pid');

export function writeTaskRecord(dir: string, record: TaskRecord): void {
  replaceFile(fileOf(dir), formatJson(record));
}

/** Undefined where there is none. */
export function readTaskRecord(dir: string): TaskRecord | undefined {
  try {
    return parseJson(readFileSync(fileOf(dir), 'utf8'), fileOf(dir)) as TaskRecord;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Once it is made. */
export function writeTaskPid(dir: string, pid: number): void {
  replaceFile(pidFileOf(dir), String(pid));
}

/** 0 where nothing was written down. */
export function readTaskPid(dir: string): number {
  return existsSync(pidFileOf(dir)) ? Number(readFileSync(pidFileOf(dir), 'utf8')) : 0;
}
