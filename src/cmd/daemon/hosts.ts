import { readFileSync } from 'node:fs';
import { StrakeError } from '../../base/index.ts';
import type { Host } from '../../rpc/listen/index.ts';

/** `unix://PATH` or `tcp://ADDRESS:PORT`. */
export function parseHost(text: string, groupId: number): Host {
  const unix = /^unix:\/\/(\/.+)$/.exec(text);
  if (unix?.[1] !== undefined) return { kind: 'unix', path: unix[1], groupId };
  const tcp = /^tcp:\/\/(\[[0-9a-fA-F:]+\]|[^:/]+):(\d+)$/.exec(text);
  if (tcp?.[1] !== undefined) return { kind: 'tcp', address: tcp[1].replace(/^\[|\]$/g, ''), port: Number(tcp[2]) };
  throw new StrakeError('InvalidArgument', `invalid host ${JSON.stringify(text)}: must be unix:///PATH or tcp://ADDRESS:PORT`, { fields: { layer: 'daemon' } });
}

/** The id of a group by name or number in group(5); 0 for the empty name. */
export function groupId(name: string): number {
  if (name === '') return 0;
  if (/^\d+$/.test(name)) return Number(name);
  for (const line of readFileSync('/etc/group', 'utf8').split('\n')) {
    const [group, , id] = line.split(':');
    if (group === name) return Number(id);
  }
  throw new StrakeError('NotFound', `group ${name} not found in /etc/group`, {
    fields: { layer: 'daemon', remedy: 'groupadd it, or name another with --group' },
  });
}
