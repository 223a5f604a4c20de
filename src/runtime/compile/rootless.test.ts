import { describe, expect, test } from 'bun:test';
import { formatOp } from '../../kernel/index.ts';
import type { LinuxSpec, RuntimeSpec } from '../../oci/index.ts';
import { defaultSpec } from '../default-spec.ts';
import { rootlessSpec } from '../rootless-spec.ts';
import { idMapOps } from './id-maps.ts';
import { planNamespaces } from './namespaces.ts';
import type { OrdinaryUser } from './options.ts';
import { checkRootless, checkRootlessGroups } from './rootless-rules.ts';

const user: OrdinaryUser = { uid: 1000, gid: 1001, newuidmap: '/usr/bin/newuidmap', newgidmap: '/usr/bin/newgidmap' };
const map = (containerID: number, hostID: number, size: number) => ({ containerID, hostID, size });
const maps = (linux: LinuxSpec, who: OrdinaryUser | undefined) => {
  const whole: LinuxSpec = { namespaces: [{ type: 'user' }], ...linux };
  return idMapOps(whole, planNamespaces(whole), who).map(formatOp);
};

describe('id maps', () => {
  const own: LinuxSpec = { uidMappings: [map(0, 1000, 1)], gidMappings: [map(0, 1001, 1)] };
  const wide: LinuxSpec = { uidMappings: [map(0, 1000, 1), map(1, 100000, 65536)], gidMappings: [map(0, 1001, 1), map(1, 200000, 65536)] };
  const cases: readonly (readonly [string, LinuxSpec, OrdinaryUser | undefined, readonly string[]])[] = [
    ['of root: written', wide, undefined, ['host id_map text="0 1000 1\\n1 100000 65536\\n"', 'host id_map kind=1 text="0 1001 1\\n1 200000 65536\\n"']],
    [
      'of the own ids: written, once groups cannot be left',
      own,
      { ...user, newuidmap: undefined, newgidmap: undefined },
      ['host id_map kind=2 text=deny', 'host id_map text="0 1000 1\\n"', 'host id_map kind=1 text="0 1001 1\\n"'],
    ],
    [
      'of more: by the helpers',
      wide,
      user,
      [
        'host id_map_helper helper=/usr/bin/newuidmap ids=[0 1000 1 1 100000 65536]',
        'host id_map_helper helper=/usr/bin/newgidmap ids=[0 1001 1 1 200000 65536]',
      ],
    ],
    [
      'of more users and the own group: each by its way',
      { ...wide, gidMappings: own.gidMappings ?? [] },
      user,
      ['host id_map kind=2 text=deny', 'host id_map_helper helper=/usr/bin/newuidmap ids=[0 1000 1 1 100000 65536]', 'host id_map kind=1 text="0 1001 1\\n"'],
    ],
  ];
  for (const [name, linux, who, lines] of cases) test(name, () => expect(maps(linux, who)).toEqual([...lines]));

  const refusals: readonly (readonly [string, LinuxSpec, OrdinaryUser | undefined, string])[] = [
    ['no maps', {}, undefined, 'user namespaces enabled, but no namespace path to join nor mappings to apply specified'],
    ['no maps of a user', {}, user, 'rootless containers requires at least one UID mapping'],
    ['no group maps of a user', { uidMappings: [map(0, 1000, 1)] }, user, 'rootless containers requires at least one GID mapping'],
    ['maps without a namespace', { ...own, namespaces: [] }, undefined, "user namespace mappings specified, but user namespace isn't enabled in the config"],
    ['more than the own id without a helper', wide, { ...user, newuidmap: undefined }, 'an ordinary user needs newuidmap for more than the own id'],
    ['another id without a helper', { ...own, uidMappings: [map(0, 1001, 1)] }, { ...user, newuidmap: undefined }, 'needs newuidmap'],
  ];
  for (const [name, linux, who, message] of refusals) test(`refuses ${name}`, () => expect(() => maps(linux, who)).toThrow(message));
});

describe("an ordinary user's configuration", () => {
  const rootless = rootlessSpec(defaultSpec(), { uid: 1000, gid: 1001 });
  const check = (spec: RuntimeSpec) => checkRootless(spec, planNamespaces(spec.linux));
  const withOptions = (...options: string[]): RuntimeSpec => ({ ...rootless, mounts: [{ destination: '/x', type: 'tmpfs', options }] });

  test('as `spec --rootless` writes it is fine', () => {
    expect(() => check(rootless)).not.toThrow();
    expect(rootless.linux?.namespaces?.map(({ type }) => type).sort()).toEqual(
      [...(defaultSpec().linux?.namespaces ?? []).map(({ type }) => type).filter((type) => type !== 'network'), 'user'].sort() as never,
    );
    expect(rootless.linux?.resources).toBeUndefined();
    expect(rootless.linux?.uidMappings).toEqual([map(0, 1000, 1)]);
    expect(rootless.linux?.gidMappings).toEqual([map(0, 1001, 1)]);
    expect(rootless.mounts?.flatMap(({ options }) => options ?? []).filter((option) => option.startsWith('gid='))).toEqual([]);
    expect(rootless.mounts?.find(({ destination }) => destination === '/sys')).toMatchObject({ type: 'none', source: '/sys' });
  });

  const cases: readonly (readonly [string, RuntimeSpec, string])[] = [
    ['no user namespace', defaultSpec(), 'rootless container requires user namespaces'],
    [
      'an unmapped gid=',
      withOptions('gid=5'),
      'cannot specify gid=5 mount option for rootless container: user namespaces enabled, but no mapping found for gid 5',
    ],
    ['an unmapped uid=', withOptions('mode=1', 'uid=1'), 'cannot specify uid=1 mount option for rootless container'],
    [
      'an id-mapped mount',
      { ...rootless, mounts: [{ destination: '/x', source: '/y', options: ['bind'], uidMappings: [map(0, 1, 1)] }] },
      'id-mapped mounts are not supported for rootless containers',
    ],
    ['a network device', { ...rootless, linux: { ...rootless.linux, netDevices: { eth0: {} } } }, 'network devices are not supported for rootless containers'],
  ];
  for (const [name, spec, message] of cases) test(`refuses ${name}`, () => expect(() => check(spec)).toThrow(message));

  test('takes mapped ids', () => expect(() => check(withOptions('uid=0', 'gid=0', 'gid=x'))).not.toThrow());
  test('takes any id where a namespace is joined', () =>
    expect(() => check({ ...withOptions('gid=5'), linux: { namespaces: [{ type: 'user', path: '/proc/1/ns/user' }] } })).not.toThrow());
  test('refuses supplementary groups', () =>
    expect(() => checkRootlessGroups({ cwd: '/', user: { uid: 0, gid: 0, additionalGids: [5] } })).toThrow(
      'cannot set any additional groups in a rootless container',
    ));
});
