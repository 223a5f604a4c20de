import { spawnSync } from 'node:child_process';
import path from 'node:path';

const directory = path.join(import.meta.dirname, 'native');

/** Builds C targets; the directory that they are in. */
export function nativeBuild(target: string): string {
  const { status, stderr } = spawnSync('make', ['-s', '-C', directory, 'OUT=build', target], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`make ${target} in fuzz/native: ${stderr}`);
  return path.join(directory, 'build');
}
