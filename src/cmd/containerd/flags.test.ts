import { afterAll, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { readConfig } from './config.ts';
import { parseContainerdFlags } from './flags.ts';

const directory = mkdtempSync(path.join(os.tmpdir(), 'strake-config-'));
afterAll(() => rmSync(directory, { recursive: true }));

function write(name: string, text: string): string {
  const file = path.join(directory, name);
  writeFileSync(file, text);
  return file;
}

const empty = write('empty.toml', '');

test('without flags and a configuration everything is where strake has it', () => {
  expect(parseContainerdFlags(['--config', empty])).toEqual({
    root: '/var/lib/strake',
    state: '/run/strake',
    address: '/run/strake/containerd.sock',
    logLevel: 'info',
    logFormat: 'text',
    readyFd: undefined,
    config: { runtimes: {}, ignored: [] },
    configFile: empty,
    help: false,
  });
});

test('the configuration speaks where flags are silent', () => {
  const file = write(
    'config.toml',
    `version = 3
root = '/data'
state = '/state/'
[grpc]
address = '/run/c.sock'
gid = 7
tcp_address = '[::1]:1234'
[debug]
level = 'debug'
format = 'json'
[plugins.'io.containerd.transfer.v1.local']
max_concurrent_downloads = 5
max_concurrent_uploaded_layers = 2
config_path = '/etc/certs'
[plugins.'io.containerd.strake.v1.runtimes'.'io.containerd.runc.v2']
shim = '/usr/bin/containerd-shim-runc-v2'
[plugins.'io.containerd.strake.v1.runtimes'.'io.containerd.crun.v2']
binary = '/usr/bin/crun'
`,
  );
  const { root, state, address, logLevel, logFormat, config } = parseContainerdFlags(['-c', file, '--root=/other', '-l', 'trace']);
  expect({ root, state, address, logLevel, logFormat }).toEqual({
    root: '/other',
    state: '/state',
    address: '/run/c.sock',
    logLevel: 'debug',
    logFormat: 'json',
  });
  expect(config).toEqual({
    root: '/data',
    state: '/state/',
    address: '/run/c.sock',
    groupId: 7,
    tcp: { address: '[::1]:1234' },
    logLevel: 'debug',
    logFormat: 'json',
    downloads: 5,
    uploads: 2,
    registryConfig: '/etc/certs',
    runtimes: { 'io.containerd.runc.v2': { shim: '/usr/bin/containerd-shim-runc-v2' }, 'io.containerd.crun.v2': { binary: '/usr/bin/crun' } },
    ignored: [],
  });
});

test('keys that mean nothing here are named, those of plugins by their plugin; defaults that say nothing are not', () => {
  const file = write(
    'ignored.toml',
    `version = 2
oom_score = -999
disabled_plugins = []
[metrics]
address = '127.0.0.1:1338'
grpc_histogram = false
[plugins.'io.containerd.grpc.v1.cri']
sandbox_image = 'pause'
[plugins.'io.containerd.grpc.v1.cri'.registry]
config_path = '/etc/certs'
[plugins.'io.containerd.nri.v1.nri']
disable = false
`,
  );
  expect(readConfig(file, true).ignored).toEqual(['oom_score', 'metrics.address', 'plugins.io.containerd.grpc.v1.cri']);
});

test('what is imported is merged, the later over the earlier, and each file once', () => {
  write('a.toml', "imports = ['main.toml']\nroot = '/a'\n[grpc]\ngid = 3\n");
  write('b.toml', "root = '/b'\n");
  const main = write('main.toml', "imports = ['a.toml', 'b.toml']\nstate = '/s'\n[grpc]\naddress = '/x'\n");
  expect(readConfig(main, true)).toEqual({ root: '/b', state: '/s', address: '/x', groupId: 3, runtimes: {}, ignored: [] });
});

test.each([
  ['version = 1', 'version 1 is not known: 2 and 3 are'],
  ['root = 3', 'root is not a text'],
  ['[grpc]\ngid = -1', 'grpc.gid is not a number from 0'],
  ["[debug]\nlevel = 'loud'", 'debug.level is not one of debug, info, warn, error, fatal'],
  ["[grpc]\ntcp_address = ':1'\ntcp_tls_cert = 'x'", 'grpc.tcp_tls_cert and grpc.tcp_tls_key belong together'],
  [
    "[plugins.'io.containerd.strake.v1.runtimes'.x]\nshim = 'rel'",
    'plugins.io.containerd.strake.v1.runtimes.x must have the absolute path of either a shim or a binary',
  ],
  ["[plugins.'io.containerd.strake.v1.runtimes'.x]\nshim = '/a'\nbinary = '/b'", 'must have the absolute path of either a shim or a binary'],
  ["imports = ['gone.toml']", 'gone.toml: ENOENT'],
  ["imports = 'x'", 'imports is not a list of names'],
  ['root = ', 'Invalid TOML document'],
])('%j is refused', (text, message) => {
  const file = write('wrong.toml', text);
  expect(() => readConfig(file, true)).toThrow(message);
});

test.each([
  [['x'], 'unexpected argument "x"'],
  [['--root', 'x'], 'root must be an absolute path'],
  [['--log-level', 'loud'], 'invalid value "loud" for --log-level'],
  [['--config', '/nowhere/c.toml'], '/nowhere/c.toml: ENOENT'],
])('%j is refused', (argv, message) => {
  expect(() => parseContainerdFlags(argv.includes('--config') ? argv : ['--config', empty, ...argv])).toThrow(message);
});
