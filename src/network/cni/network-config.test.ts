import { expect, test } from 'bun:test';
import { parseNetwork, speaks } from './network-config.ts';
import { addressesOf } from './result.ts';

test('a list, and one plugin that stands for a list', () => {
  const list = { cniVersion: '1.0.0', name: 'a.b_c-1', disableCheck: 'true', plugins: [{ type: 'bridge', capabilities: { ips: true, mac: false } }] };
  expect(parseNetwork(JSON.stringify(list), 'x.conflist')).toEqual({
    name: 'a.b_c-1',
    cniVersion: '1.0.0',
    disableCheck: true,
    disableGc: false,
    plugins: [{ type: 'bridge', capabilities: ['ips'], config: { type: 'bridge', capabilities: { ips: true, mac: false } } }],
  });
  const one = { name: 'one', type: 'ptp' };
  expect(parseNetwork(JSON.stringify(one), 'x.conf')).toMatchObject({ cniVersion: '0.1.0', plugins: [{ type: 'ptp', capabilities: [], config: one }] });
});

test.each([
  ['0.4.0', undefined, '0.4.0'],
  ['1.0.0', ['0.4.0', '1.1.0', '9.0.0'], '1.1.0'],
  ['9.0.0', ['1.0.0', '0.4.0'], '1.0.0'],
])('of version %p and versions %p the latest that is known is spoken', (cniVersion, cniVersions, expected) => {
  expect(parseNetwork(JSON.stringify({ cniVersion, cniVersions, name: 'n', type: 't' }), 'x.conf').cniVersion).toBe(expected);
});

test.each([
  ['1.1.0', true],
  ['1.0.0', true],
  ['0.4.0', false],
  ['7', false],
])('version %p has what came with 1.0.0: %p', (version, expected) => expect(speaks(version, '1.0.0')).toBe(expected));

const named = { cniVersion: '1.0.0', name: 'n' };
test.each([
  ['', 'it is no JSON'],
  ['[]', 'it is no object'],
  [JSON.stringify({ ...named }), 'it has no plugins'],
  [JSON.stringify({ ...named, plugins: [] }), 'it has no plugins'],
  [JSON.stringify({ ...named, plugins: Array(65).fill({ type: 'x' }) }), 'it has 65 plugins, at most 64 are possible'],
  [JSON.stringify({ ...named, plugins: [7] }), 'a plugin is no object'],
  [JSON.stringify({ ...named, plugins: [{ type: '../sh' }] }), 'invalid plugin type "../sh"'],
  [JSON.stringify({ ...named, plugins: [{ type: '' }] }), 'invalid plugin type ""'],
  [JSON.stringify({ ...named, plugins: [{ type: 'x', capabilities: [] }] }), 'capabilities of plugin x are no object'],
  [JSON.stringify({ ...named, name: 'a/b', plugins: [{ type: 'x' }] }), 'invalid name "a/b"'],
  [JSON.stringify({ ...named, disableGC: 1, plugins: [{ type: 'x' }] }), 'invalid disableGC 1'],
  [JSON.stringify({ ...named, cniVersion: '2.0.0', plugins: [{ type: 'x' }] }), 'its version "2.0.0" is not known; the latest that is, is 1.1.0'],
  [JSON.stringify({ ...named, cniVersions: 1, plugins: [{ type: 'x' }] }), 'cniVersions is no list'],
])('refuses %s', (text, message) => expect(() => parseNetwork(text, 'x.conflist')).toThrow(`network configuration x.conflist: ${message}`));

test.each([
  [{ cniVersion: '0.2.0', ip4: { ip: '10.0.0.2/24' }, ip6: { ip: 'fd00::2/64' } }, ['10.0.0.2', 'fd00::2']],
  [
    {
      ips: [
        { version: '4', address: '10.0.0.2/24' },
        { address: 'fd00::2/64', interface: null },
      ],
    },
    ['10.0.0.2', 'fd00::2'],
  ],
  [
    {
      interfaces: [{ name: 'br' }, { name: 'eth0', sandbox: '/n' }],
      ips: [
        { address: '10.0.0.1/24', interface: 0 },
        { address: '10.0.0.2/24', interface: 1 },
      ],
    },
    ['10.0.0.2'],
  ],
  [{ ips: {} }, []],
  [{ ip4: 7 }, []],
])('addresses of %j', (result, expected) => expect(addressesOf(result)).toEqual(expected));
