import * as system from 'strake:system';
import { systemError } from './failure.ts';

interface SpawnResult {
  /** null: ended by a signal */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly error?: Error;
}

const notFoundStatus = 127;
const ENOENT = 2;

/** `node:child_process`: a program of PATH, to its end; its output as UTF-8. */
export function spawnSync(command: string, args: readonly string[]): SpawnResult {
  const answer = system.spawn(command, ...args);
  if (typeof answer === 'number') return { status: null, stdout: '', stderr: '', error: systemError(answer, `spawnSync ${command}`) };
  const [waitStatus, stdout, stderr] = answer;
  const status = (waitStatus & 0x7f) === 0 ? waitStatus >> 8 : null;
  return { status, stdout, stderr, ...(status === notFoundStatus ? { error: systemError(-ENOENT, `spawnSync ${command}`) } : {}) };
}
