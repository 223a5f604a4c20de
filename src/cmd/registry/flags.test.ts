import { expect, test } from 'bun:test';
import { parseRegistryFlags, registryUsage } from './flags.ts';

test('what is not said', () => {
  expect(parseRegistryFlags([])).toEqual({
    address: { host: '127.0.0.1', port: 5000 },
    root: '/var/lib/strake-registry',
    readOnly: false,
    tls: undefined,
    auth: { kind: 'open' },
    proxy: undefined,
    garbage: { intervalMs: 3_600_000, graceMs: 3_600_000, uploadLifeMs: 86_400_000, untagged: false },
    notify: [],
    metricsAddress: undefined,
    logLevel: 'info',
    logFormat: 'text',
    readyFd: undefined,
    help: false,
  });
});

test.each([
  ['--addr :5000', { address: { host: '', port: 5000 } }],
  ['--addr [::1]:80', { address: { host: '::1', port: 80 } }],
  ['--htpasswd f', { auth: { kind: 'basic', htpasswdFile: 'f', accessFile: undefined } }],
  ['--htpasswd f --access a --auth token', { auth: { kind: 'token', htpasswdFile: 'f', accessFile: 'a', service: 'strake-registry', realm: undefined } }],
  [
    '--token-key k --token-realm https://t/ --token-issuer i --token-service s',
    { auth: { kind: 'foreign-token', keyFile: 'k', realm: 'https://t/', issuer: 'i', service: 's' } },
  ],
  ['--tls-cert c --tls-key k', { tls: { certificateFile: 'c', keyFile: 'k' } }],
  [
    '--gc-interval 0 --gc-grace 5m --upload-life 7d --gc-untagged',
    { garbage: { intervalMs: undefined, graceMs: 300_000, uploadLifeMs: 604_800_000, untagged: true } },
  ],
  [
    '--proxy https://registry-1.docker.io --proxy-user u --proxy-password-file f',
    { proxy: { domain: 'docker.io', insecure: false, user: 'u', passwordFile: 'f', lifeMs: 604_800_000 } },
  ],
  ['--proxy http://h:1 --proxy-life 0', { proxy: { domain: 'h:1', insecure: true, user: undefined, passwordFile: undefined, lifeMs: undefined } }],
  ['--metrics-addr 127.0.0.1:9090', { metricsAddress: { host: '127.0.0.1', port: 9090 } }],
])('%s', (line, part) => {
  expect(parseRegistryFlags(line.split(' '))).toMatchObject(part as object);
});

test.each([
  ['--addr 5000', 'invalid value "5000" for --addr: must be HOST:PORT'],
  ['--addr a:70000', 'invalid value "a:70000" for --addr: must be HOST:PORT'],
  ['--root x', '--root must be an absolute path'],
  ['--tls-cert c', '--tls-cert and --tls-key belong together'],
  ['--access a', '--auth, --access and --token-realm need --htpasswd'],
  ['--auth digest --htpasswd f', 'invalid value "digest" for --auth: must be one of basic, token'],
  ['--token-key k', '--token-key goes with --token-realm and --token-issuer, without --htpasswd and --access'],
  ['--token-issuer i', '--token-issuer goes with --token-key'],
  ['--htpasswd f --token-realm https://x', '--token-realm goes with --auth token'],
  ['--gc-interval soon', 'invalid value "soon" for --gc-interval: must be a time such as 90s, 30m or 24h, up to 24d'],
  ['--gc-grace 25d', 'invalid value "25d" for --gc-grace: must be a time such as 90s, 30m or 24h, up to 24d'],
  ['--notify ftp://x', 'invalid value for --notify: must be a URL of http or https'],
  ['--proxy https://h/path', '--proxy must be a URL of a host alone'],
  ['--proxy https://h --proxy-user u', '--proxy-user and --proxy-password-file belong together'],
  ['--proxy-user u', '--proxy-user, --proxy-password-file and --proxy-life need --proxy'],
  ['x', 'unexpected argument "x"'],
])('%s', (line, message) => {
  expect(() => parseRegistryFlags(line.split(' '))).toThrow(message);
});

test('the help names every flag', () => {
  expect(registryUsage()).toContain('--tls-cert FILE');
});
