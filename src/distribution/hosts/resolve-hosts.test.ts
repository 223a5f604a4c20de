import { expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { rejection } from '../../core/fixtures.ts';
import { isInsecure } from './insecure.ts';
import { createHostResolver, type HostSettings } from './resolve-hosts.ts';

async function resolve(domain: string, settings: HostSettings) {
  const hosts = await createHostResolver(settings)(domain);
  return hosts.map(({ base, capabilities, tls, isMirror, mayBePlain }) =>
    [
      base.href,
      [...capabilities].length === 4 ? 'all' : [...capabilities].join(),
      tls.verify ? '' : 'unverified',
      isMirror ? 'mirror' : '',
      mayBePlain ? 'plain' : '',
    ]
      .filter(Boolean)
      .join(' '),
  );
}

/** Folders with files, removed afterwards. */
function folders(files: Readonly<Record<string, string>>): Disposable & { readonly root: string } {
  const root = mkdtempSync(path.join(tmpdir(), 'strake-hosts-'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.join(root, path.dirname(name)), { recursive: true });
    writeFileSync(path.join(root, name), text);
  }
  return { root, [Symbol.dispose]: () => rmSync(root, { recursive: true }) };
}

test.each<[string, HostSettings, readonly string[]]>([
  ['docker.io', {}, ['https://registry-1.docker.io/v2/ all']],
  ['r.example:5000', {}, ['https://r.example:5000/v2/ all']],
  ['localhost:5000', {}, ['https://localhost:5000/v2/ all unverified plain']],
  ['r.example', { insecureRegistries: ['r.example'] }, ['https://r.example/v2/ all unverified plain']],
  [
    'docker.io',
    { mirrors: ['https://m.example', 'http://127.0.0.1:5000/hub/'] },
    ['https://m.example/v2/ pull,resolve mirror', 'http://127.0.0.1:5000/hub/v2/ pull,resolve unverified mirror', 'https://registry-1.docker.io/v2/ all'],
  ],
  ['quay.example', { mirrors: ['https://m.example'] }, ['https://quay.example/v2/ all']],
])('%s with %j', async (domain, settings, hosts) => {
  expect(await resolve(domain, settings)).toEqual([...hosts]);
});

test('folders: the first that has the host, by each of its names, then _default', async () => {
  using one = folders({
    'r.example:5000/hosts.toml': '[host."https://m.example"]\ncapabilities = ["pull"]\n',
    'q.example_5000_/hosts.toml': 'server = "http://q.example"\n',
    '_default/hosts.toml': '[host."https://all.example"]\n',
    'own.example/hosts.toml': '[host."https://own.example"]\nca = "x.pem"\n',
    'own.example/x.pem': 'PEM',
    'broken.example/hosts.toml': 'serve = 1',
    'lacking.example/hosts.toml': 'ca = "nowhere.pem"',
    'half.example/client.cert': 'CERT',
  });
  using two = folders({
    'r.example:5000/hosts.toml': 'server = "https://not.asked"',
    'docker.example/ca.crt': 'CA',
    'docker.example/c.cert': 'CERT',
    'docker.example/c.key': 'KEY',
  });
  const configDirectories = ['/nonexistent', one.root, two.root];
  const settings = { configDirectories };
  expect(await resolve('r.example:5000', settings)).toEqual(['https://m.example/v2/ pull mirror', 'https://r.example:5000/v2/ all']);
  expect(await resolve('q.example:5000', settings)).toEqual(['http://q.example/v2/ all']);
  expect(await resolve('other.example', settings)).toEqual(['https://all.example/v2/ all mirror', 'https://other.example/v2/ all']);
  // The registry's own address among the hosts is no mirror: its credentials are for it.
  expect(await resolve('own.example', settings)).toEqual(['https://own.example/v2/ all', 'https://own.example/v2/ all']);
  expect((await createHostResolver(settings)('own.example'))[0]?.tls).toEqual({ verify: true, authorities: ['PEM'] });
  const [docker] = await createHostResolver({ configDirectories: [two.root] })('docker.example');
  expect(docker?.tls).toEqual({ verify: true, authorities: ['CA'], client: { certificate: 'CERT', key: 'KEY' } });
  expect(await rejection(resolve('broken.example', settings))).toStartWith(`InvalidArgument: ${one.root}/broken.example/hosts.toml: serve: must be one of `);
  expect(await rejection(resolve('lacking.example', settings))).toStartWith(`InvalidArgument: ${one.root}/lacking.example/nowhere.pem: `);
  expect(await rejection(resolve('half.example', settings))).toBe(`InvalidArgument: ${one.root}/half.example/client.cert: there is no client.key beside it`);
});

test.each<[string, readonly string[], boolean]>([
  ['localhost', [], true],
  ['127.3.4.5:80', [], true],
  ['[::1]:5000', [], true],
  ['128.0.0.1', [], false],
  ['r.example', [], false],
  ['r.example:5000', ['r.example'], true],
  ['r.example', ['r.example:5000'], false],
  ['r.example:5000', ['r.example:5000'], true],
  ['10.1.2.3:5000', ['10.0.0.0/8'], true],
  ['11.1.2.3', ['10.0.0.0/8', '10.0.0.0/99', 'x/8'], false],
  ['[fd00::5]:5000', ['fd00::/16'], true],
  ['10.example', ['10.0.0.0/8'], false],
  ['r.example', ['*'], true],
  ['evil-r.example', ['r.example'], false],
])('%s is insecure with %j: %p', (host, listed, expected) => {
  expect(isInsecure(host, listed)).toBe(expected);
});
