import { readdir, readFile, readlink } from 'node:fs/promises';

/** What processes hold open. */
export interface OpenFiles {
  readonly descriptors: number;
  readonly sockets: number;
}

/** Of all these processes together; one that has ended meanwhile has none. */
export async function openFiles(pids: readonly number[]): Promise<OpenFiles> {
  let total: OpenFiles = { descriptors: 0, sockets: 0 };
  for (const pid of pids) {
    const names = await readdir(`/proc/${pid}/fd`).catch(() => []);
    const targets = await Promise.all(names.map(async (name) => await readlink(`/proc/${pid}/fd/${name}`).catch(() => '')));
    total = { descriptors: total.descriptors + names.length, sockets: total.sockets + targets.filter((target) => target.startsWith('socket:')).length };
  }
  return total;
}

/** proc_pid_limits(5): how many files the process may open; undefined: as many as it wants, or it has ended. */
export async function openFilesLimit(pid: number): Promise<bigint | undefined> {
  const text = await readFile(`/proc/${pid}/limits`, 'latin1').catch(() => '');
  const soft = /^Max open files +(\d+)/m.exec(text)?.[1];
  return soft === undefined ? undefined : BigInt(soft);
}
