import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** __SO_ACCEPTCON in the flags of /proc/net/unix: the socket listens. */
const listens = 0x10000;

/** Names of listening sockets by inode, out of /proc/net/unix (proc_pid_net(5)); an abstract name begins with `@`. */
export function parseListening(table: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const line of table.split('\n').slice(1)) {
    const [, , , flags = '', , , inode = '', ...name] = line.trim().split(/ +/);
    if (name.length > 0 && (Number.parseInt(flags, 16) & listens) !== 0) found.set(inode, name.join(' '));
  }
  return found;
}

/** The unix sockets that a process listens on; none where its descriptors cannot be seen. */
export function listeningSockets(pid: number): readonly string[] {
  try {
    const names = parseListening(readFileSync(`/proc/${pid}/net/unix`, 'utf8'));
    const inodes = readdirSync(`/proc/${pid}/fd`).map((descriptor) => /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${descriptor}`))?.[1] ?? '');
    return [...new Set(inodes.flatMap((inode) => names.get(inode) ?? []))].map((name) => resolved(pid, name)).sort();
  } catch {
    return [];
  }
}

/** A long path is bound by a descriptor of its directory: which directory that is, as far as it can be told. */
function resolved(pid: number, name: string): string {
  const [, descriptor, file] = /^\/proc\/self\/fd\/(\d+)\/(.+)$/.exec(name) ?? [];
  const directory = descriptor === undefined ? '' : linkOf(`/proc/${pid}/fd/${descriptor}`);
  return directory.startsWith('/') ? `${directory}/${file}` : name;
}

/** A descriptor may be closed meanwhile. */
function linkOf(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return '';
  }
}
