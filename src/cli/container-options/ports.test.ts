import { expect, test } from 'bun:test';
import { exposedPorts, portBindings } from './ports.ts';

const binding = (HostPort: string, HostIp = '') => ({ HostIp, HostPort });

test.each([
  [['80'], { '80/tcp': [binding('')] }],
  [['8080:80', '8443:80/UDP'], { '80/tcp': [binding('8080')], '80/udp': [binding('8443')] }],
  [['127.0.0.1::80', '[::1]:8080:80'], { '80/tcp': [binding('', '127.0.0.1'), binding('8080', '::1')] }],
  [['8000-8001:80-81'], { '80/tcp': [binding('8000')], '81/tcp': [binding('8001')] }],
  [['8000-8010:80'], { '80/tcp': [binding('8000-8010')] }],
  [['80-81/sctp'], { '80/sctp': [binding('')], '81/sctp': [binding('')] }],
  [['target=80,published=8080,protocol=udp'], { '80/udp': [binding('8080')] }],
  [['target=80'], { '80/tcp': [binding('')] }],
])('-p %j', (given, expected) => {
  expect(portBindings(given) as object).toEqual(expected);
});

test.each([
  ['x', 'invalid containerPort: x'],
  ['99999', 'invalid containerPort: 99999'],
  ['9:x', 'invalid containerPort: x'],
  ['x:80', 'invalid hostPort: x'],
  ['2-1:80', 'invalid hostPort: 2-1'],
  ['8000-8002:80-81', 'invalid ranges specified for container and host Ports: 80-81 and 8000-8002'],
  ['80/raw', 'invalid proto: raw'],
  ['8080:', 'no port specified: 8080:<empty>'],
  ['published=80', 'missing mandatory field "target"'],
  ['target=80,host=a', 'invalid field key host'],
])('-p %s is refused', (given, message) => {
  expect(() => portBindings([given])).toThrow(message);
});

test('what is exposed: named ports, ranges, and what is published', () => {
  expect(exposedPorts([], [])).toBeUndefined();
  expect(Object.keys(exposedPorts(['90-91/udp', '80'], ['8080:70']) ?? {})).toEqual(['70/tcp', '90/udp', '91/udp', '80/tcp']);
  expect(() => exposedPorts(['x'], [])).toThrow('invalid range format for --expose: x');
});
