import { expect, test } from 'bun:test';
import { registryDomain } from './registry-login.ts';

test.each([
  ['', 'docker.io'],
  ['https://index.docker.io/v1/', 'docker.io'],
  ['localhost:5000', 'localhost:5000'],
  ['http://Registry.example/v2/', 'registry.example'],
  ['[::1]:5000', '[::1]:5000'],
])('%j is the registry %s', (address, domain) => {
  expect(registryDomain(address)).toBe(domain);
});

test.each(['a b', 'user@host', 'host:port', '../x', 'ftp://x'])('%j is none', (address) => {
  expect(() => registryDomain(address)).toThrow('is not the address of a registry');
});
