import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Kills who listens at a unix socket: a shim that answers nobody does not end by itself. This process is never meant. */
export function killListener(socketPath: string): void {
  const sockets = new Set(listeningInodes(socketPath).map((inode) => `socket:[${inode}]`));
  if (sockets.size === 0) return;
  for (const pid of readdirSync('/proc').map(Number).filter(Number.isInteger)) {
    if (pid !== process.pid && descriptorsOf(pid).some((target) => sockets.has(target))) process.kill(pid, 'SIGKILL');
  }
}

/** Of sockets that accept connections (SO_ACCEPTCON is bit 16 of the flags, proc_net(5)); columns: number, references, protocol, flags, type, state, inode, path. */
function listeningInodes(socketPath: string): string[] {
  return readFileSync('/proc/net/unix', 'utf8')
    .split('\n')
    .map((line) => line.split(/\s+/))
    .filter(([, , , flags, , , , path]) => flags === '00010000' && path === socketPath)
    .map(([, , , , , , inode]) => inode ?? '');
}

function descriptorsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
  } catch {
    // It has ended, or one of its descriptors was closed meanwhile.
    return [];
  }
}
