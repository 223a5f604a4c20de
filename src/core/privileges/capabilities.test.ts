import { expect, test } from 'bun:test';
import { allCapabilities, capabilitySets, chooseCapabilities, defaultCapabilities } from './capabilities.ts';

const without = (...names: readonly string[]) => defaultCapabilities.filter((name) => !names.includes(name));

test.each([
  ['nothing asked', [], [], defaultCapabilities],
  ['one dropped', [], ['chown'], without('CAP_CHOWN')],
  ['one added', ['net_admin'], [], [...defaultCapabilities, 'CAP_NET_ADMIN']],
  ['all dropped', [], ['ALL'], []],
  ['all dropped, one added', ['CAP_NET_ADMIN'], ['all'], ['CAP_NET_ADMIN']],
  ['all added', ['ALL'], [], allCapabilities],
  ['all added, one dropped', ['ALL'], ['SYS_ADMIN'], allCapabilities.filter((name) => name !== 'CAP_SYS_ADMIN')],
  ['one added twice', ['SYS_TIME', 'sys_time'], [], [...defaultCapabilities, 'CAP_SYS_TIME']],
] as const)('%s', (_title, add, drop, expected) => {
  expect(chooseCapabilities({ privileged: false, add, drop })).toEqual([...expected]);
});

test('the defaults are the documented fourteen, and privileged is what the machine has', () => {
  expect(defaultCapabilities.length).toBe(14);
  expect(allCapabilities.length).toBe(41);
  expect(chooseCapabilities({ privileged: true, add: [], drop: ['ALL'], available: ['CAP_CHOWN', 'CAP_KILL'] })).toEqual(['CAP_CHOWN', 'CAP_KILL']);
});

test('an unknown name is refused', () => {
  expect(() => chooseCapabilities({ privileged: false, add: ['nonsense'], drop: [] })).toThrow('invalid CapAdd: unknown capability: "CAP_NONSENSE"');
  expect(() => chooseCapabilities({ privileged: false, add: [], drop: ['CAP_X'] })).toThrow('invalid CapDrop: unknown capability: "CAP_X"');
});

test('inheritable and ambient stay empty; without root only the bounding set is given', () => {
  expect(capabilitySets(['CAP_KILL'], 0)).toEqual({ bounding: ['CAP_KILL'], effective: ['CAP_KILL'], permitted: ['CAP_KILL'] });
  expect(capabilitySets(['CAP_KILL'], 1000)).toEqual({ bounding: ['CAP_KILL'] });
});
