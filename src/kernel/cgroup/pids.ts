import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { StrakeError } from '../../base/index.ts';
import { type CgroupDirectories, v1DirectoryOf } from './directories.ts';

/** A container that nests cgroups without end must not hold the daemon. */
const limits = { depth: 64, directories: 10_000 } as const;

/** Host pids of every process in the cgroup and the cgroups below it, ascending. A cgroup that is gone has none. */
export async function cgroupPids(directories: CgroupDirectories): Promise<readonly number[]> {
  const root = directories.v2 ?? v1DirectoryOf(directories, 'pids') ?? directories.v1[0]?.dir;
  if (root === undefined) return [];
  const pids = new Set<number>();
  const queue: { readonly dir: string; readonly depth: number }[] = [{ dir: root, depth: 0 }];
  for (let next = 0; next < queue.length; next++) {
    const { dir, depth } = queue[next] as { dir: string; depth: number };
    if (depth > limits.depth || queue.length > limits.directories)
      throw new StrakeError('ResourceExhausted', `cgroup ${root} has too many cgroups below it`, { fields: { layer: 'kernel' } });
    for (const pid of (await readGone(dir)).split('\n')) if (pid !== '') pids.add(Number(pid));
    for (const name of await childrenOf(dir)) queue.push({ dir: path.join(dir, name), depth: depth + 1 });
  }
  return [...pids].sort((a, b) => a - b);
}

/** A threaded v2 cgroup answers EOPNOTSUPP: its processes are listed by the domain above it. */
async function readGone(dir: string): Promise<string> {
  return readFile(path.join(dir, 'cgroup.procs'), 'utf8').catch(emptyWhenGone(''));
}

async function childrenOf(dir: string): Promise<readonly string[]> {
  const entries = await readdir(dir, { withFileTypes: true }).catch(emptyWhenGone([]));
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

function emptyWhenGone<T>(empty: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (['ENOENT', 'ENODEV', 'EOPNOTSUPP'].includes(error.code ?? '')) return empty;
    throw error;
  };
}
