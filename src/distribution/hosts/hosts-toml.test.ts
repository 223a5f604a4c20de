import { expect, test } from 'bun:test';
import { parseGoDuration } from './go-duration.ts';
import { parseHostsToml } from './hosts-toml.ts';

const all = ['pull', 'resolve', 'push', 'referrers'];

function parse(text: string) {
  const { hosts, server } = parseHostsToml(text, 'hosts.toml');
  return [...hosts, server].map((host) => ({ ...host, base: host.base?.href, capabilities: [...host.capabilities] }));
}

const plain = { base: undefined, capabilities: all, authorityFiles: [], clientFiles: undefined, skipVerify: false, headers: {}, dialTimeoutMs: undefined };

test.each<[string, readonly object[]]>([
  ['', [plain]],
  ['server = "https://registry.example"', [{ ...plain, base: 'https://registry.example/v2/' }]],
  ['server = "registry.example:5000/sub/"', [{ ...plain, base: 'https://registry.example:5000/sub/v2/' }]],
  ['server = "http://r.example/x/v2"', [{ ...plain, base: 'http://r.example/x/v2/' }]],
  [
    '[host."https://z.example"]\ncapabilities = ["pull", "Resolve"]\n[host."https://a.example/path"]\noverride_path = true\n[host."10.0.0.1:5000"]\nskip_verify = true\n',
    [
      { ...plain, base: 'https://z.example/v2/', capabilities: ['pull', 'resolve'] },
      { ...plain, base: 'https://a.example/path/' },
      { ...plain, base: 'https://10.0.0.1:5000/v2/', skipVerify: true },
      plain,
    ],
  ],
  [
    'ca = "ca.pem"\nclient = "both.pem"\n[host."https://m.example"]\nca = ["a.pem", "/b.pem"]\nclient = [["c.cert", "c.key"]]\ndial_timeout = "1m30s"\n[host."https://m.example".header]\nX-One = "1"\nx-two = ["2", "3"]\n',
    [
      {
        ...plain,
        base: 'https://m.example/v2/',
        authorityFiles: ['a.pem', '/b.pem'],
        clientFiles: ['c.cert', 'c.key'],
        dialTimeoutMs: 90_000,
        headers: { 'x-one': '1', 'x-two': '2, 3' },
      },
      { ...plain, authorityFiles: ['ca.pem'], clientFiles: ['both.pem'] },
    ],
  ],
])('%j', (text, hosts) => {
  expect(parse(text) as readonly object[]).toEqual(hosts);
});

test.each([
  ['server = ', 'Invalid TOML document: '],
  ['serve = "x"', 'serve: must be one of server, host, capabilities, ca, client, skip_verify, header, override_path, dial_timeout'],
  ['server = 5', 'server: must be a text'],
  ['host = 1979-05-27', 'host: must be a table'],
  ['[host."https://u:p@h"]', 'host."https://u:p@h": must be an address such as https://host:port'],
  ['[host."https://h"]\ncapabilities = ["delete"]', 'host."https://h": capabilities: must be a list of pull, resolve, push, referrers'],
  ['[host."https://h"]\nskip_verify = "yes"', 'host."https://h": skip_verify: must be true or false'],
  ['[host."https://h"]\nclient = ["a", "b"]', 'host."https://h": client: must be one file, or one pair of certificate and key'],
  ['[host."https://h"]\nclient = [["a"]]', 'host."https://h": client: must be one file, or one pair of certificate and key'],
  ['[host."https://h"]\nca = 1', 'host."https://h": ca: must be a list of texts'],
  ['[host."https://h"]\ndial_timeout = "soon"', 'host."https://h": dial_timeout: must be a duration such as "30s"'],
  ['[host."https://h".header]\nx = "a\\r\\nAuthorization: b"', 'host."https://h": header: x: must be a header'],
  ['[host."https://h".header]\n"x:" = "a"', 'host."https://h": header: x:: must be a header'],
  [
    '[host."https://h"]\nusername = "x"',
    'host."https://h": username: must be one of capabilities, ca, client, skip_verify, header, override_path, dial_timeout',
  ],
])('%j is refused', (text, message) => {
  expect(() => parseHostsToml(text, 'hosts.toml')).toThrow(`hosts.toml: ${message}`);
});

test.each<[string, number | undefined]>([
  ['30s', 30_000],
  ['1h2m3.5s', 3_723_500],
  ['250ms', 250],
  ['0s', 0],
  ['', undefined],
  ['5', undefined],
  ['-1s', undefined],
  ['1d', undefined],
])('duration %j', (text, ms) => {
  expect(parseGoDuration(text)).toBe(ms);
});
