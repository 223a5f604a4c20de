/**
 * `strake registry` and the clients of others: skopeo, buildah, podman and docker push to it and pull from it, over TLS with passwords, and over plain HTTP
 * with tokens. What one of them pushed, each pulls with the same digest.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hashSync } from 'bcryptjs';
import { ensureDebianLayer, ensurePeers } from '../../tools/peers/peer-root.ts';
import { writeLayout } from '../fixtures/image.ts';
import { friendlyImages } from '../fixtures/images.ts';
import { strakeDist } from '../lib/dist.ts';
import { PeerWorld } from '../lib/peer-world.ts';

const setupMs = 600_000;
const stepMs = 120_000;
const user = 'ann';
const password = 's3cret:x';

interface Served {
  readonly name: string;
  readonly host: string;
  readonly flags: readonly string[];
}

let peers: PeerWorld;
const work = (name: string) => join(peers.world.work, name);

const registries: readonly Served[] = [
  { name: 'passwords over TLS', host: 'localhost:5443', flags: ['--tls-cert', 'tls/cert.pem', '--tls-key', 'tls/key.pem'] },
  { name: 'tokens', host: '127.0.0.1:5001', flags: ['--auth', 'token'] },
];

async function serve({ host, flags }: Served): Promise<void> {
  const files = flags.map((flag) => (flag.startsWith('tls/') ? work(flag) : flag));
  const root = work(`registry-${host.replace(':', '-')}`);
  const argv = [join(strakeDist, 'strake'), 'registry', '--addr', host, '--root', root, '--htpasswd', work('htpasswd'), ...files];
  await peers.world.spawn(argv).output(/registry listens on/, { stream: 'stderr' });
}

beforeAll(async () => {
  await ensurePeers();
  peers = await PeerWorld.start();
  mkdirSync(work('tls'));
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-addext', 'basicConstraints=critical,CA:TRUE'];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', work('tls/key.pem'), '-out', work('tls/cert.pem')];
  await peers.output(['openssl', 'req', '-x509', '-days', '2', ...key, ...subject]);
  writeFileSync(work('htpasswd'), `${user}:${hashSync(password, 5)}\n`);
  // Where docker, podman, buildah and skopeo look for the certificate of a host.
  mkdirSync(work('certs.d/localhost:5443'), { recursive: true });
  copyFileSync(work('tls/cert.pem'), work('certs.d/localhost:5443/ca.crt'));
  await peers.output([
    'sh',
    '-c',
    `mkdir -p /etc/docker /etc/containers && cp -r ${work('certs.d')} /etc/docker/ && cp -r ${work('certs.d')} /etc/containers/`,
  ]);
  for (const registry of registries) await serve(registry);
  const images = friendlyImages(await ensureDebianLayer());
  for (const name of ['busybox', 'layers']) writeLayout(work(`layouts/${name}`), images[name]?.() as ReturnType<(typeof images)[string]>);
  await peers.startDocker();
}, setupMs);

afterAll(async () => {
  await peers?.[Symbol.asyncDispose]();
}, setupMs);

/** How each client logs in, and moves an image of a layout to and from a reference; `pull` answers the manifest's digest. */
interface Client {
  login(host: string): Promise<unknown>;
  push(reference: string): Promise<unknown>;
  pull(reference: string): Promise<string>;
}

const insecure = (reference: string, flag: string) => (reference.startsWith('127.') ? [flag] : []);
const trimmed = async (argv: readonly string[], options?: Parameters<PeerWorld['output']>[1]) =>
  (await peers.output(argv, { timeoutMs: stepMs, ...options })).trim();
const environment = () => ({ HOME: work('home'), DOCKER_CONFIG: work('docker'), REGISTRY_AUTH_FILE: work('auth.json'), PODMAN_IGNORE_CGROUPSV1_WARNING: '1' });

function storageTool(command: readonly string[]): Client {
  const run = async (...args: string[]) => await trimmed([...command, ...args], { env: environment() });
  const containers = command[0] === 'podman' ? 'image' : 'inspect';
  return {
    login: async (host) =>
      await trimmed([...command, 'login', ...insecure(host, '--tls-verify=false'), '-u', user, '--password-stdin', host], {
        env: environment(),
        stdin: password,
      }),
    push: async (reference) => {
      const id = (await run('pull', '-q', `oci:${work('layouts/layers')}:latest`)).split('\n').at(-1) ?? '';
      await run('push', '-q', ...insecure(reference, '--tls-verify=false'), id, `docker://${reference}`);
    },
    pull: async (reference) => {
      await run('pull', '-q', ...insecure(reference, '--tls-verify=false'), reference);
      return containers === 'image'
        ? await run('image', 'inspect', '--format', '{{.Digest}}', reference)
        : await run('inspect', '--type', 'image', '--format', '{{.FromImageDigest}}', reference);
    },
  };
}

const clients = {
  skopeo: (): Client => ({
    login: async (host) =>
      await trimmed(['skopeo', 'login', ...insecure(host, '--tls-verify=false'), '-u', user, '--password-stdin', host], {
        env: environment(),
        stdin: password,
      }),
    push: async (reference) =>
      await trimmed(
        [
          'skopeo',
          'copy',
          '--insecure-policy',
          ...insecure(reference, '--dest-tls-verify=false'),
          `oci:${work('layouts/layers')}:latest`,
          `docker://${reference}`,
        ],
        { env: environment() },
      ),
    pull: async (reference) =>
      await trimmed(['skopeo', 'inspect', ...insecure(reference, '--tls-verify=false'), '--format', '{{.Digest}}', `docker://${reference}`], {
        env: environment(),
      }),
  }),
  podman: () => storageTool(['podman', '--root', work('podman'), '--runroot', work('podman-run')]),
  buildah: () => storageTool(['buildah', '--root', work('podman'), '--runroot', work('podman-run')]),
  docker: (): Client => {
    const docker = async (...args: string[]) => await trimmed(['docker', '-H', `unix://${peers.dockerSocket}`, ...args], { env: environment() });
    return {
      login: async (host) =>
        await trimmed(['docker', '-H', `unix://${peers.dockerSocket}`, 'login', '-u', user, '--password-stdin', host], { env: environment(), stdin: password }),
      push: async (reference) => {
        await trimmed([
          'skopeo',
          'copy',
          '--insecure-policy',
          '-q',
          `oci:${work('layouts/busybox')}:latest`,
          'docker-daemon:made:latest',
          '--dest-daemon-host',
          `unix://${peers.dockerSocket}`,
        ]);
        await docker('tag', 'made:latest', reference);
        await docker('push', '-q', reference);
      },
      pull: async (reference) => {
        return /^Digest: (\S+)$/m.exec(await docker('pull', reference))?.[1] ?? '';
      },
    };
  },
};

describe.each(registries.map((registry) => [registry.name, registry.host] as const))('%s', (_name, host) => {
  test('without a password nothing is to be had', async () => {
    const refused = await peers.run(['skopeo', 'inspect', ...insecure(host, '--tls-verify=false'), `docker://${host}/busybox`], {
      env: { ...environment(), REGISTRY_AUTH_FILE: work('none.json') },
    });
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toMatch(/unauthorized|access to the resource is denied/);
  });

  test.each(Object.keys(clients) as (keyof typeof clients)[])(
    '%s',
    async (name) => {
      const client = clients[name]();
      await client.login(host);
      await client.push(`${host}/${name}/layers:v1`);
      const digest = await clients.skopeo().pull(`${host}/${name}/layers:v1`);
      expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
      expect(await client.pull(`${host}/${name}/layers:v1`)).toBe(digest);
    },
    stepMs,
  );

  test(
    'each pulls what skopeo pushed, with its digest',
    async () => {
      const reference = `${host}/skopeo/layers:v1`;
      const digest = await clients.skopeo().pull(reference);
      for (const [name, client] of Object.entries(clients)) expect(`${name} ${await client().pull(reference)}`).toBe(`${name} ${digest}`);
    },
    stepMs,
  );
});
