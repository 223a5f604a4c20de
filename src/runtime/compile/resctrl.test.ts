import { describe, expect, test } from 'bun:test';
import { formatOp } from '../../kernel/index.ts';
import type { IntelRdt } from '../../oci/index.ts';
import type { CgroupPlan } from './options.ts';
import { planResctrl, type Resctrl, withResctrl } from './resctrl.ts';

const whole: Resctrl = { root: '/sys/fs/resctrl', cache: true, bandwidth: true, groupExists: false };
const cgroup: CgroupPlan = { v1: [], v1Links: [], v2: undefined, create: [], initAttach: [], cleanup: [], oomFile: '' };

function programOf(rdt: IntelRdt, resctrl: Resctrl = whole): readonly string[] {
  const { create, initAttach, cleanup } = withResctrl(cgroup, planResctrl(rdt, 'c1', resctrl));
  return [...create, ...initAttach, ...cleanup].map(formatOp);
}

describe('intelRdt', () => {
  test('a group of its own, with all schemata, goes with the container', () => {
    expect(programOf({ l3CacheSchema: 'L3:0=f', memBwSchema: 'MB:0=20', schemata: ['L2:0=3'] })).toEqual([
      'host mkdir path=/sys/fs/resctrl/c1 mode=0755',
      'host write_file path=/sys/fs/resctrl/c1/schemata data="L3:0=f\\nMB:0=20\\nL2:0=3\\n"',
      'init write_file path=/sys/fs/resctrl/c1/tasks data=0',
      'host rmdir path=/sys/fs/resctrl/c1 timeoutMs=1000',
    ]);
  });
  test('a named group stays, its monitoring group goes', () => {
    expect(programOf({ closID: 'gold', enableMonitoring: true }, { ...whole, groupExists: true })).toEqual([
      'host mkdir path=/sys/fs/resctrl/gold mode=0755',
      'host mkdir path=/sys/fs/resctrl/gold/mon_groups/c1 mode=0755',
      'init write_file path=/sys/fs/resctrl/gold/tasks data=0',
      'init write_file path=/sys/fs/resctrl/gold/mon_groups/c1/tasks data=0',
      'host rmdir path=/sys/fs/resctrl/gold/mon_groups/c1 timeoutMs=1000',
    ]);
  });
  test('the default group is the root', () => {
    expect(programOf({ closID: '/', schemata: ['MB:0=20'] })).toEqual([
      'host mkdir path=/sys/fs/resctrl mode=0755',
      'host write_file path=/sys/fs/resctrl/schemata data="MB:0=20\\n"',
      'init write_file path=/sys/fs/resctrl/tasks data=0',
    ]);
  });
  const refused: readonly (readonly [string, IntelRdt, Resctrl | undefined, string])[] = [
    ['a machine without resctrl', {}, undefined, 'intelRdt is specified in config, but Intel RDT is not enabled'],
    ['a machine without CAT', { l3CacheSchema: 'L3:0=f' }, { ...whole, cache: false }, 'but Intel RDT/CAT is not enabled'],
    ['a machine without MBA', { memBwSchema: 'MB:0=20' }, { ...whole, bandwidth: false }, 'but Intel RDT/MBA is not enabled'],
    ['a path as a name', { closID: '../x' }, whole, 'invalid intelRdt.ClosID "../x"'],
    ['the parent', { closID: '..' }, whole, 'invalid intelRdt.ClosID ".."'],
    ['a named group that is not there', { closID: 'gold' }, whole, 'clos dir not accessible'],
  ];
  for (const [name, rdt, resctrl, message] of refused) test(`refuses ${name}`, () => expect(() => planResctrl(rdt, 'c1', resctrl)).toThrow(message));
});
