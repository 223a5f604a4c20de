import path from 'node:path';
import { StrakeError } from '../../../base/index.ts';

const idPattern = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/;

/** An id is a directory's name. */
export function checkId(id: string): void {
  if (!idPattern.test(id)) throw new StrakeError('InvalidArgument', `invalid task id ${JSON.stringify(id)}`, { fields: { layer: 'core' } });
}

/** The files of docs/CONTRACTS.md, "The task directory", `started` and `told`. */
export const taskFiles = {
  monitor: (dir: string) => path.join(dir, 'monitor.sock'),
  pid: (dir: string) => path.join(dir, 'pid'),
  exit: (dir: string) => path.join(dir, 'exit'),
  description: (dir: string) => path.join(dir, 'task.json'),
  started: (dir: string) => path.join(dir, 'started'),
  told: (dir: string) => path.join(dir, 'told'),
  execs: (dir: string) => path.join(dir, 'execs'),
} as const;
