import { describe, expect, test } from 'bun:test';
import { formatOp } from '../../kernel/index.ts';
import type { IdMapping, LinuxSpec, Mount } from '../../oci/index.ts';
import { idMappedMounts } from './id-mapped-mounts.ts';
import { planNamespaces } from './namespaces.ts';
import { SlotAllocator } from './slots.ts';

const map = (containerID: number, hostID: number, size: number): IdMapping => ({ containerID, hostID, size });
const userns: LinuxSpec = {
  namespaces: [{ type: 'user' }],
  uidMappings: [map(0, 100, 1), map(1, 2, 1000)],
  gidMappings: [map(0, 200, 10)],
};
const mount = (options: string, more: Partial<Mount> = {}): Mount => ({ destination: '/t', source: '/s', options: ['bind', ...options.split(',')], ...more });

function plan(mounts: readonly Mount[], linux: LinuxSpec = {}, joined?: number) {
  const maps = idMappedMounts(mounts, linux, planNamespaces(linux), joined, new SlotAllocator());
  return { ops: maps.ops.map(formatOp), slots: mounts.map(maps.slotOf) };
}

describe('id-mapped mounts', () => {
  test('one user namespace for each pair of mappings', () => {
    const own = { uidMappings: [map(0, 1, 2)], gidMappings: [map(0, 3, 4)] };
    const other = { ...own, gidMappings: [map(0, 3, 5)] };
    expect(plan([mount('ro'), mount('idmap', own), mount('ro', own), mount('ridmap', other)])).toEqual({
      ops: ['host userns out=#0 uids="0 1 2\\n" gids="0 3 4\\n"', 'host userns out=#1 uids="0 1 2\\n" gids="0 3 5\\n"'],
      slots: [undefined, 0, 0, 1],
    });
  });
  test("the container's own mappings, or the namespace that it joins", () => {
    expect(plan([mount('idmap')], userns)).toEqual({ ops: ['host userns out=#0 uids="0 100 1\\n1 2 1000\\n" gids="0 200 10\\n"'], slots: [0] });
    expect(plan([mount('idmap')], { namespaces: [{ type: 'user', path: '/n' }] }, 5)).toEqual({ ops: [], slots: [5] });
  });
  test('mappings in the option, absolute and of the container', () => {
    expect(plan([mount('idmap=uids=0-1-10#10-11-10;gids=0-100-10')])).toEqual({
      ops: ['host userns out=#0 uids="0 1 10\\n10 11 10\\n" gids="0 100 10\\n"'],
      slots: [0],
    });
    expect(plan([mount('idmap=uids=@1-3-10;gids=@0-5-1')], userns)).toEqual({ ops: ['host userns out=#0 uids="1 4 10\\n" gids="0 205 1\\n"'], slots: [0] });
  });
  const refused: readonly (readonly [string, Mount, string])[] = [
    ['half of a pair', mount('idmap=uids=0-1-1'), 'mounts[0]: id-mapped mounts must have both uid and gid mappings specified'],
    ['another word', mount('idmap=users=0-1-1'), 'mounts[0]: idmap=users=0-1-1: "users=0-1-1" is neither uids= nor gids='],
    ['no range', mount('idmap=uids=0-1;gids=0-1-1'), 'mounts[0]: idmap: "0-1" is no range such as 0-100000-65536'],
    ['what is not mapped', mount('idmap=uids=@0-7000-1;gids=0-1-1'), "mounts[0]: idmap: @0-7000-1: the container's user namespace does not map 7000"],
    ['no bind', { destination: '/t', type: 'tmpfs', options: ['idmap'] }, 'mounts[0]: id-mapped mounts are only supported for bind-mounts'],
  ];
  for (const [name, entry, message] of refused) test(`refuses ${name}`, () => expect(() => plan([entry], userns)).toThrow(message));
});
