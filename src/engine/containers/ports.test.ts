import { expect, test } from 'bun:test';
import { emptyHostConfig as hostConfig } from './fixtures.ts';
import { checkPorts, parsePort, parsePortRange, portWarnings } from './ports.ts';

test('ports and ranges, and what is none', () => {
  expect([parsePort('80'), parsePort('53/UDP')]).toEqual([
    { port: 80, protocol: 'tcp' },
    { port: 53, protocol: 'udp' },
  ]);
  expect(['', '0', '8080', '8000-8010'].map(parsePortRange)).toEqual([undefined, undefined, [8080, 8080], [8000, 8010]]);
  for (const spec of ['0/tcp', '80/raw', '80-81/tcp', '99999', 'x']) expect(() => parsePort(spec)).toThrow(`invalid port specification: "${spec}"`);
  for (const spec of ['9-8', '99999', 'x', '-1']) expect(() => parsePortRange(spec)).toThrow(`invalid port specification: "${spec}"`);
});

const bindings = { '80/tcp': [{ HostIp: '', HostPort: '8080' }] };

test('there is nothing to publish in the network of another container, nor in that of the machine', () => {
  const joined = { ...hostConfig, NetworkMode: 'container:abc' };
  expect(() => checkPorts({ ...joined, PortBindings: bindings }, [])).toThrow('conflicting options: port publishing and the container type network mode');
  expect(() => checkPorts({ ...joined, PublishAllPorts: true }, [])).toThrow('port publishing');
  expect(() => checkPorts(joined, ['80/tcp'])).toThrow('conflicting options: port exposing and the container type network mode');
  expect(() => checkPorts({ ...hostConfig, PortBindings: bindings }, ['80/tcp'])).not.toThrow();
  expect(portWarnings({ ...hostConfig, PortBindings: bindings })).toEqual([]);
  expect(portWarnings({ ...hostConfig, NetworkMode: 'host', PortBindings: bindings })).toEqual(['Published ports are discarded when using host network mode']);
});
