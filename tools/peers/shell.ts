import { spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Runs a program to its end, its output appended to the file `log`; throws with the last lines of it when it fails. */
export function runLogged(log: string, argv: readonly string[], env: NodeJS.ProcessEnv = process.env): void {
  const [program, ...args] = argv as [string, ...string[]];
  const fd = openSync(log, 'a');
  try {
    const result = spawnSync(program, args, { stdio: ['ignore', fd, fd], env });
    if (result.error) throw new Error(`${program}: ${result.error.message}`);
    if (result.status !== 0) {
      const tail = readFileSync(log, 'utf8').trimEnd().split('\n').slice(-20).join('\n');
      throw new Error(`${argv.join(' ')}: exit ${result.status ?? result.signal}, the end of ${log}:\n${tail}`);
    }
  } finally {
    closeSync(fd);
  }
}

/** Runs a program to its end and gives its output; throws with its stderr when it fails. */
export function capture(argv: readonly string[]): string {
  const [program, ...args] = argv as [string, ...string[]];
  const result = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 64 << 20 });
  if (result.error) throw new Error(`${program}: ${result.error.message}`);
  if (result.status !== 0) throw new Error(`${argv.join(' ')}: exit ${result.status ?? result.signal}: ${result.stderr.trim()}`);
  return result.stdout;
}

/** Holds an advisory lock on `path` while `work` runs. A dead holder's lock is released by the kernel. */
export async function withLock<T>(path: string, work: () => T | Promise<T>): Promise<T> {
  mkdirSync(dirname(path), { recursive: true });
  const holder = spawn('flock', ['-x', path, 'sh', '-c', 'echo held; exec cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    await new Promise<void>((resolve, reject) => {
      holder.stdout.once('data', () => resolve());
      holder.once('error', reject);
      holder.once('exit', (code) => reject(new Error(`flock ${path}: exit ${code}`)));
    });
    return await work();
  } finally {
    holder.stdin.end();
    if (holder.exitCode === null) await new Promise((resolve) => holder.once('exit', resolve));
  }
}
