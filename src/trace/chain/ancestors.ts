import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { ChainLink } from './link.ts';
import { listeningSockets } from './unix-sockets.ts';

/** The face of our one executable that is a shim. */
const ownShim = 'containerd-shim';
/** More than any chain has. */
const maxAncestors = 16;

/** The processes above a container's init up to the daemon that started them, the nearest last. None where the process is gone. */
export function linksAbove(init: number): readonly ChainLink[] {
  const links: ChainLink[] = [];
  let pid = parentOf(init);
  while (pid > 1 && links.length < maxAncestors) {
    const link = linkOf(pid);
    // Whoever started the daemon is no part of the chain; the process's own parent always is.
    if (link.seam === 'parent' && links.length > 0) break;
    links.unshift(link);
    if (link.seam === 'daemon') break;
    pid = parentOf(pid);
  }
  return links;
}

function linkOf(pid: number): ChainLink {
  const words = commandLine(pid);
  const [name = ''] = path.basename(words[0] ?? '').split(/[: ]/);
  return { seam: seamOf(name, words), implementation: name, pid, sockets: listeningSockets(pid) };
}

export function processLink(pid: number): ChainLink {
  return { seam: 'process', implementation: commandLine(pid).join(' '), pid, sockets: [] };
}

/** By the names that the programs have: a shim's is prescribed (containerd's runtime v2), and ours are ours. */
function seamOf(name: string, [, command]: readonly string[]): string {
  if (name.startsWith('containerd-shim') || command === ownShim) return 'shim';
  if (name === 'strake-init') return command === 'zygote' ? 'zygote' : 'monitor';
  return ['strake', 'dockerd', 'containerd'].includes(name) ? 'daemon' : 'parent';
}

function commandLine(pid: number): readonly string[] {
  const words = read(`/proc/${pid}/cmdline`).split('\0').slice(0, -1);
  return words.length > 0 ? words : [read(`/proc/${pid}/comm`).trim()];
}

/** 0 where there is none any more. */
function parentOf(pid: number): number {
  return Number(/^PPid:\s*(\d+)$/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
