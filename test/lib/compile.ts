import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { strakeDist } from './dist.ts';

/** The path of a small C program of the tests, static, and beside the programs under test, so that it goes wherever they go. Compiled at its first use. */
export function ensureProgram(source: string): string {
  const program = join(strakeDist, 'test', basename(source, '.c'));
  if (existsSync(program) && statSync(program).mtimeMs >= statSync(source).mtimeMs) return program;
  mkdirSync(dirname(program), { recursive: true });
  const staged = `${program}.${process.pid}`;
  const { status, stderr, error } = spawnSync('cc', ['-static', '-O1', '-Wall', '-Wextra', '-Werror', '-o', staged, source], { encoding: 'utf8' });
  if (error) throw error;
  if (status !== 0) throw new Error(`${source}: ${stderr}`);
  renameSync(staged, program);
  return program;
}
