import type { ChainLink } from './link.ts';

/** One row for a daemon that stands at several seams: the links above that are at one of its sockets get its pid. */
export function withPids(heads: readonly ChainLink[], below: readonly ChainLink[]): readonly ChainLink[] {
  const daemon = below.find(({ seam }) => seam === 'daemon');
  if (daemon === undefined) return [...heads, ...below];
  const own = new Set(daemon.sockets);
  const named = heads.map((link) => (link.sockets.some((socket) => own.has(socket.replace(/^unix:\/\//, ''))) ? { ...link, pid: daemon.pid } : link));
  return [...named, ...(named.some(({ pid }) => pid === daemon.pid) ? below.filter((link) => link !== daemon) : below)];
}
