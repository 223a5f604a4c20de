import { expect, test } from 'bun:test';
import { once } from 'node:events';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { openTestCore, rejection, type TestCore } from '../core/fixtures.ts';
import { makeCertificate } from './fixtures-certificates.ts';
import { putImage, startTestRegistry, type TestRegistry } from './fixtures-registry.ts';
import { takePushes } from './fixtures-uploads.ts';
import { Proxies, proxiesOfEnvironment, withoutPassword } from './http/proxies.ts';
import { createPuller } from './pull.ts';
import { createPusher } from './push.ts';

const proxy = 'http://proxy.test:3128/';

test.each([
  ['https://registry.test/v2/', { https: proxy }, proxy],
  ['https://registry.test/v2/', { http: proxy }, undefined],
  ['http://registry.test/v2/', { http: proxy }, proxy],
  ['http://registry.test/v2/', { http: '' }, undefined],
  ['http://registry.test/v2/', { http: 'proxy.test:3128' }, proxy],
  ['http://registry.test/v2/', { http: 'user:secret@proxy.test:3128' }, 'http://user:secret@proxy.test:3128/'],
  ['http://registry.test/v2/', { http: 'https://proxy.test' }, 'https://proxy.test/'],
  // Loopback needs no word.
  ['http://localhost:5000/', { http: proxy }, undefined],
  ['http://127.1.2.3:5000/', { http: proxy }, undefined],
  ['http://[::1]:5000/', { http: proxy }, undefined],
  // NO_PROXY
  ['http://registry.test/', { http: proxy, none: '*' }, undefined],
  ['http://registry.test/', { http: proxy, none: 'other, Registry.test' }, undefined],
  ['http://a.registry.test/', { http: proxy, none: 'registry.test' }, undefined],
  ['http://aregistry.test/', { http: proxy, none: 'registry.test' }, proxy],
  ['http://registry.test/', { http: proxy, none: '.registry.test' }, proxy],
  ['http://a.registry.test/', { http: proxy, none: '.registry.test' }, undefined],
  ['http://a.registry.test/', { http: proxy, none: '*.registry.test' }, undefined],
  ['http://registry.test:5000/', { http: proxy, none: 'registry.test:5000' }, undefined],
  ['http://registry.test:5001/', { http: proxy, none: 'registry.test:5000' }, proxy],
  ['https://registry.test/', { https: proxy, none: 'registry.test:443' }, undefined],
  ['http://10.1.2.3/', { http: proxy, none: '10.0.0.0/8' }, undefined],
  ['http://11.1.2.3/', { http: proxy, none: '10.0.0.0/8' }, proxy],
  ['http://10.1.2.3:5000/', { http: proxy, none: '10.1.2.3' }, undefined],
  ['http://10.1.2.3:5000/', { http: proxy, none: '10.1.2.3:80' }, proxy],
  ['http://[fd00::1]/', { http: proxy, none: 'fd00::/8' }, undefined],
  ['http://[fd00::1]:5000/', { http: proxy, none: '[fd00::1]:5000' }, undefined],
  ['http://[fd00::1]/', { http: proxy, none: 'fd00::1' }, undefined],
  ['http://registry.test/', { http: proxy, none: ',, ' }, proxy],
])('%s with %j goes by %s', (url, settings, expected) => {
  expect(new Proxies(settings).proxyFor(new URL(url))?.href).toBe(expected);
});

test('what is no proxy is refused when it is needed, without its password', () => {
  const proxies = new Proxies({ https: 'socks5://user:secret@proxy.test' });
  expect(() => proxies.proxyFor(new URL('https://registry.test'))).toThrow('"socks5://xxxxx:xxxxx@proxy.test" is not the address of a proxy');
  expect(proxies.proxyFor(new URL('http://registry.test'))).toBeUndefined();
});

test.each([
  ['http://proxy.test:3128', 'http://proxy.test:3128'],
  ['http://user:secret@proxy.test', 'http://xxxxx:xxxxx@proxy.test'],
  ['user:sec@ret@proxy.test', 'xxxxx:xxxxx@proxy.test'],
  ['', ''],
])('%s is shown as %s', (setting, expected) => {
  expect(withoutPassword(setting)).toBe(expected);
});

test('the environment, capital names first', () => {
  expect(proxiesOfEnvironment({ HTTP_PROXY: 'a', http_proxy: 'b', https_proxy: 'c', NO_PROXY: '', no_proxy: 'd' })).toEqual({
    http: 'a',
    https: 'c',
    none: 'd',
  });
});

interface TestProxy extends AsyncDisposable {
  readonly address: string;
  /** `METHOD target [proxy-authorization]` */
  readonly requests: string[];
}

/** Leads every name to the registry. `tunnels`: takes CONNECT. */
async function startProxy(registry: TestRegistry, tunnels: boolean): Promise<TestProxy> {
  const requests: string[] = [];
  const tell = ({ method, url, headers }: http.IncomingMessage) => requests.push([method, url, headers['proxy-authorization']].filter(Boolean).join(' '));
  const port = Number(registry.host.split(':')[1]);
  const server = http.createServer((request, response) => {
    tell(request);
    const { pathname, search } = new URL(request.url ?? '');
    const { 'proxy-authorization': _, 'proxy-connection': __, ...headers } = request.headers;
    const forward = http.request({ port, method: request.method, path: pathname + search, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    request.pipe(forward);
  });
  const sockets = new Set<net.Socket>();
  server.on('connect', (request, socket: net.Socket) => {
    tell(request);
    if (!tunnels) return void socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    const upstream = net.connect(port, '127.0.0.1', () => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
    for (const [from, to] of [
      [socket, upstream],
      [upstream, socket],
    ] as const) {
      sockets.add(from);
      from.pipe(to);
      from.on('error', () => to.destroy());
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `http://user:secret@127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.closeAllConnections();
      server.close();
    },
  };
}

const layers = [[{ name: 'file', type: 'file' as const, mode: 0o644, content: Buffer.alloc(300_000, 'x') }]];
const domain = 'registry.test:5000';

const settings = (core: TestCore, proxies: Proxies, insecure = true) => ({
  ...core,
  retryDelayMs: 1,
  proxies,
  insecureRegistries: insecure ? [domain] : [],
});

test('a plain registry behind a proxy, pulled from and pushed to: each request goes to the proxy, whose password goes to nobody else', async () => {
  await using registry = await startTestRegistry();
  await using between = await startProxy(registry, false);
  using core = openTestCore();
  putImage(registry, 'app', layers);
  const proxies = new Proxies({ http: between.address, https: between.address });
  const { record } = await createPuller(settings(core, proxies))({ reference: `${domain}/app` });
  const [tried, ...rest] = between.requests;
  // An insecure registry is tried with TLS first.
  expect(tried).toBe(`CONNECT ${domain} Basic ${btoa('user:secret')}`);
  expect(rest.length).toBe(registry.requests.length);
  for (const request of rest) expect(request).toMatch(new RegExp(`^(GET|HEAD) http://${domain}/v2/app/\\S+ Basic ${btoa('user:secret')}$`));
  takePushes(registry);
  between.requests.length = 0;
  registry.requests.length = 0;
  await createPusher(settings(core, proxies))({ reference: `${domain}/mine`, target: record.target });
  expect(registry.requests.at(-1)).toBe('PUT /v2/mine/manifests/latest');
  expect(between.requests.filter((request) => !request.startsWith('CONNECT')).length).toBe(registry.requests.length);
  // The registry's own list has an authorization at the end of a line, were there one.
  expect(registry.requests.filter((request) => request.includes('Basic'))).toEqual([]);
});

test('a registry with TLS behind a proxy: a tunnel, and the certificate is the registry’s own', async () => {
  await using registry = await startTestRegistry({ ...certificate() });
  await using between = await startProxy(registry, true);
  using core = openTestCore();
  putImage(registry, 'app', layers);
  const proxies = new Proxies({ https: between.address });
  expect(await rejection(createPuller(settings(core, proxies, false))({ reference: `${domain}/app` }))).toMatch(
    /^Unavailable: registry\.test:5000 by proxy 127\.0\.0\.1:\d+: .*(certificate|altnames)/i,
  );
  const { record } = await createPuller(settings(core, proxies))({ reference: `${domain}/app` });
  expect(record.name).toBe(`${domain}/app:latest`);
  for (const request of between.requests) expect(request).toBe(`CONNECT ${domain} Basic ${btoa('user:secret')}`);
});

test('a proxy that is not there, or refuses, is named', async () => {
  await using registry = await startTestRegistry();
  await using between = await startProxy(registry, false);
  using core = openTestCore();
  const message = async (address: string) =>
    await rejection(createPuller(settings(core, new Proxies({ https: address }), false))({ reference: `${domain}/app` }));
  expect(await message('127.0.0.1:1')).toBe('Unavailable: registry.test:5000 by proxy 127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1');
  expect(await message(between.address)).toMatch(/^Unavailable: registry\.test:5000 by proxy 127\.0\.0\.1:\d+: .*403/);
  expect(await message(between.address)).not.toContain('secret');
});

function certificate(): { readonly cert: string; readonly key: string } {
  const made = makeCertificate('registry');
  return { cert: made.certificate, key: made.key };
}
