import { expect, test } from 'bun:test';
import { parseDaemonFlags } from './flags.ts';
import { parseHost } from './hosts.ts';

const configDirectories = ['/etc/strake/certs.d', '/etc/containerd/certs.d', '/etc/docker/certs.d'];

const defaults = {
  dataRoot: '/var/lib/strake',
  execRoot: '/run/strake',
  hosts: ['unix:///run/strake/strake.sock'],
  debug: false,
  logLevel: 'info',
  logFormat: 'text',
  group: '',
  pidFile: undefined,
  bridge: undefined,
  bip: undefined,
  registries: { insecureRegistries: [], mirrors: [], configDirectories },
  proxies: {},
  transfers: {},
  labels: [],
  snapshotter: 'overlayfs',
  containerd: undefined,
  addedRuntimes: {},
  defaultRuntime: 'runc',
  layerLimits: {},
  readyFd: undefined,
  help: false,
};

test.each([
  [[], {}],
  [['-D'], { debug: true, logLevel: 'debug' }],
  [['--debug=false', '-l', 'warn'], { logLevel: 'warn' }],
  [['--data-root', '/a/', '--exec-root=/b'], { dataRoot: '/a', execRoot: '/b', hosts: ['unix:///b/strake.sock'] }],
  [['-H', 'unix:///x', '-Hunix:///y', '--host=unix:///z'], { hosts: ['unix:///x', 'unix:///y', 'unix:///z'] }],
  [['-H', 'tcp://127.0.0.1:2375', '--tls=false'], { hosts: ['tcp://127.0.0.1:2375'] }],
  [['--insecure-registry', 'a:5000', '--insecure-registry', 'b'], { registries: { insecureRegistries: ['a:5000', 'b'], mirrors: [], configDirectories } }],
  [
    ['--registry-mirror', 'https://m/x', '--registry-config', '/a:/b', '--max-download-attempts=2'],
    { registries: { insecureRegistries: [], mirrors: ['https://m/x'], configDirectories: ['/a', '/b'], attempts: 2 } },
  ],
  [
    ['--http-proxy=p:1', '--https-proxy', 'http://p:2', '--no-proxy', '.lan,10.0.0.0/8'],
    { proxies: { http: 'p:1', https: 'http://p:2', none: '.lan,10.0.0.0/8' } },
  ],
  [['--containerd', 'unix:///c.sock'], { containerd: '/c.sock' }],
  [['--containerd=/c.sock', '--default-runtime', 'io.containerd.strake.v2'], { containerd: '/c.sock', defaultRuntime: 'io.containerd.strake.v2' }],
  [
    ['--add-runtime', 'crun=/usr/bin/crun', '--add-runtime=y=/opt/youki', '--default-runtime=y'],
    { addedRuntimes: { crun: '/usr/bin/crun', y: '/opt/youki' }, defaultRuntime: 'y' },
  ],
  [['--max-concurrent-downloads=1', '--max-concurrent-uploads', '9'], { transfers: { downloads: 1, uploads: 9 } }],
  [['--storage-driver=vfs', '--live-restore', '--log-format', 'json', '--ready-fd', '3'], { snapshotter: 'native', logFormat: 'json', readyFd: 3 }],
  [['--bip', '10.1.0.1/24', '-b', 'br9', '-G', 'docker', '-p', '/p'], { bip: '10.1.0.1/24', bridge: 'br9', group: 'docker', pidFile: '/p' }],
  [['--max-layer-size=5g', '--max-layer-expansion', '50'], { layerLimits: { bytes: 5 * 2 ** 30, expansion: 50 } }],
  [['--max-layer-size=100'], { layerLimits: { bytes: 100 } }],
  [['--containerd-listen', '/run/c.sock'], { containerdSocket: '/run/c.sock' }],
] as const)('%j', (args, changes) => {
  expect(parseDaemonFlags(args) as object).toEqual({ ...defaults, ...changes });
});

test.each([
  [['--iptables=false'], 'unknown flag: --iptables'],
  [['-Z'], 'unknown flag: -Z'],
  [['run'], 'unexpected argument "run"'],
  [['--data-root'], 'flag needs an argument: --data-root'],
  [['--data-root', 'relative'], '--data-root must be an absolute path'],
  [['--debug=maybe'], 'invalid value "maybe" for --debug: must be true or false'],
  [['--log-level', 'loud'], 'invalid value "loud" for --log-level: must be one of debug, info, warn, error, fatal'],
  [['--max-layer-size', '-1'], 'invalid value "-1" for --max-layer-size: must be a size such as 64g'],
  [['--max-layer-expansion=0'], 'invalid value "0" for --max-layer-expansion: must be a positive number'],
  [['--max-concurrent-downloads', '0'], 'invalid value "0" for --max-concurrent-downloads: must be a positive number'],
  [
    ['--registry-mirror', 'https://u:p@m'],
    'invalid value "https://u:p@m" for --registry-mirror: must be an http or https address without user, query or fragment',
  ],
  [['--registry-config', 'certs'], '--registry-config must be an absolute path'],
  [['--default-runtime', 'crun'], '--default-runtime: crun is not known: add it by --add-runtime crun=PATH'],
  [['--add-runtime', 'crun'], 'invalid value "crun" for --add-runtime: must be NAME=PATH'],
  [['--add-runtime', 'crun=bin/crun'], '--add-runtime must be an absolute path'],
  [['--add-runtime', 'runc=/usr/sbin/runc'], '--add-runtime: runc is the name of our own runtime'],
  [['--storage-driver', 'zfs'], 'storage driver zfs is not available: overlay2 and vfs are'],
  [['--live-restore=false'], '--live-restore=false is not available: containers always outlive the daemon'],
  [
    ['-H', 'tcp://0.0.0.0:2375'],
    'a tcp host gives root to anybody who reaches it: say --tls=false to serve it all the same (TLS with client certificates is not available)',
  ],
] as const)('%j is refused', (args, message) => {
  expect(() => parseDaemonFlags(args)).toThrow(message);
});

test.each([
  ['unix:///run/x.sock', { kind: 'unix', path: '/run/x.sock', groupId: 7 }],
  ['tcp://127.0.0.1:2375', { kind: 'tcp', address: '127.0.0.1', port: 2375 }],
  ['tcp://[::1]:2375', { kind: 'tcp', address: '::1', port: 2375 }],
] as const)('host %s', (text, host) => {
  expect(parseHost(text, 7) as object).toEqual(host);
});

test.each(['fd://', 'unix://relative', 'tcp://127.0.0.1', 'nonsense'])('host %s is refused', (text) => {
  expect(() => parseHost(text, 0)).toThrow(`invalid host ${JSON.stringify(text)}`);
});
