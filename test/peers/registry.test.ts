/** `strake registry`, open and with passwords and tokens, plain and over TLS, with every client: what is right goes there and back, what is wrong is refused. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hashSync } from 'bcryptjs';
import { packImage } from '../fixtures/pack-image.ts';
import { Engine } from '../lib/engine.ts';
import { PeerWorld } from '../lib/peer-world.ts';
import { startStrakeRegistry } from '../lib/strake-registry.ts';
import { upload } from '../lib/upload.ts';
import { BuildahClient, dockerClient, type ImageClient, LayoutClient, podmanClient, strakeClient } from './image-clients.ts';

const setupMs = 600_000; // the first run on a machine builds the peer root
const stepMs = 120_000;

/** Loopback is plain or unverified for docker and for us: TLS is at an address of the documentation's network (RFC 5737), which only the world has. */
const plainHost = '127.0.0.1';
const tlsHost = '192.0.2.10';
const writer = { name: 'ann', password: 's3cret:x' };
const reader = { name: 'bob', password: 'hunter2' };

interface RegistryCase {
  readonly name: string;
  readonly address: string;
  readonly auth: 'none' | 'basic' | 'token';
  readonly tls: boolean;
}

const registries: readonly RegistryCase[] = (['none', 'basic', 'token'] as const).flatMap((auth, index) => [
  { name: `${auth}, plain`, address: `${plainHost}:${5001 + index}`, auth, tls: false },
  { name: `${auth}, TLS`, address: `${tlsHost}:${5001 + index}`, auth, tls: true },
]);
const open = `${plainHost}:5001`;
const source = `${open}/source:latest`;
/** Its certificate is of an authority that nobody knows. */
const unknown = `${tlsHost}:5009`;
const refused =
  /unauthorized|authentication required|no basic auth credentials|access to the resource is denied|denied|401|invalid username\/password|incorrect username or password/i;

let peers: PeerWorld;
let engine: Engine;
/** The tree of the image that goes around. */
let tree: string;

beforeAll(async () => {
  peers = await PeerWorld.start();
  const { world } = peers;
  await world.output(['ip', 'address', 'add', `${tlsHost}/32`, 'dev', 'lo']);
  const certificates = join(world.work, 'etc-docker/certs.d');
  await makeCertificates(certificates);
  await peers.output(['mount', '--bind', join(world.work, 'etc-docker'), '/etc/docker']);
  const htpasswd = file('htpasswd', [writer, reader].map(({ name, password }) => `${name}:${hashSync(password, 4)}\n`).join(''));
  const access = file('access', `${writer.name} ** *\n${reader.name} ** pull\n`);
  for (const { address, auth, tls } of registries)
    await startStrakeRegistry(world, address, [
      ...(auth === 'none' ? [] : ['--htpasswd', htpasswd, '--access', access, '--auth', auth]),
      ...(tls ? tlsFlags('known') : []),
    ]);
  await startStrakeRegistry(world, unknown, tlsFlags('unknown'));
  await peers.startDocker();
  engine = await Engine.join(peers, ['--registry-config', certificates]);
  await uploadSource();
  const strake = strakeClient(engine);
  await strake.pull(source);
  tree = await strake.tree(source);
}, setupMs);

afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
  await peers?.[Symbol.asyncDispose]();
}, setupMs);

function file(name: string, text: string): string {
  const path = join(peers.world.work, name);
  writeFileSync(path, text);
  return path;
}

const tlsFlags = (name: string) => ['--tls-cert', join(peers.world.work, `${name}.crt`), '--tls-key', join(peers.world.work, `${name}.key`)];

/** Two certificates of the same address, each its own authority; the first is made known for the registries with TLS, the second for nobody. */
async function makeCertificates(directory: string): Promise<void> {
  const { work } = peers.world;
  for (const name of ['known', 'unknown']) {
    const out = ['-keyout', join(work, `${name}.key`), '-out', join(work, `${name}.crt`)];
    const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=IP:${tlsHost}`];
    await peers.output(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc', '-days', '2', ...subject, ...out]);
  }
  for (const { address } of registries.filter(({ tls }) => tls)) {
    mkdirSync(join(directory, address), { recursive: true });
    writeFileSync(join(directory, address, 'ca.crt'), readFileSync(join(work, 'known.crt')));
  }
}

async function uploadSource(): Promise<void> {
  const { world } = peers;
  const packed = await packImage({ name: 'source', layers: [{ script: 'mkdir x; echo here >x/f; seq 1 20000 >x/many' }] }, world.work);
  await upload(world, packed, `${open}/source`, 'latest');
}

const makers: readonly ((transport: readonly string[], credentials: string) => ImageClient)[] = [
  (_transport, credentials) => strakeClient(engine, { credentials }),
  (_transport, credentials) => dockerClient(peers, { credentials }),
  (transport, credentials) => podmanClient(peers, { transport, credentials }),
  (transport, credentials) => new BuildahClient(peers, { transport, credentials }),
  (transport, credentials) => new LayoutClient(peers, { transport, credentials }),
];
const names = ['strake', 'docker', 'podman', 'buildah', 'skopeo and umoci'];

const plain = ['--tls-verify=false'];
const trusting = (address: string) => ['--cert-dir', join(peers.world.work, 'etc-docker/certs.d', address)];

/** What an attempt says when it fails. */
async function refusalOf(attempt: Promise<unknown>): Promise<string> {
  return await attempt.then(() => 'it succeeded', String);
}

for (const [index, name] of names.entries())
  describe(name, () => {
    const client = (transport: readonly string[], logins: string) => {
      const credentials = join(peers.world.work, `logins-${index}-${logins.replace(/\W/g, '-')}`);
      // Buildah does not make the file by itself.
      if (!existsSync(`${credentials}.json`)) writeFileSync(`${credentials}.json`, '{}');
      return (makers[index] as (typeof makers)[number])(transport, credentials);
    };

    beforeAll(async () => {
      const anonymous = client(plain, 'none');
      await anonymous.pull(source);
      expect(await anonymous.tree(source)).toBe(tree);
    }, setupMs);

    for (const { name: registry, address, auth, tls } of registries)
      test(
        `${registry}: there and back`,
        async () => {
          const transport = tls ? trusting(address) : plain;
          const target = `${address}/${name.replaceAll(' ', '-')}/image:latest`;
          const known = client(transport, address);
          if (auth !== 'none') {
            expect(await refusalOf(known.push(source, target))).toMatch(refused);
            expect(await refusalOf(known.login(address, writer.name, 'wrong'))).toMatch(refused);
            await known.login(address, writer.name, writer.password);
          }
          await known.push(source, target);
          await known.forget(target);
          await known.pull(target);
          expect(await known.tree(target)).toBe(tree);
          if (auth !== 'none') {
            await known.logout(address);
            await known.forget(target);
            expect(await refusalOf(known.pull(target))).toMatch(refused);
            const other = client(transport, `${address}-reader`);
            await other.login(address, reader.name, reader.password);
            await other.pull(target);
            expect(await refusalOf(other.push(source, `${address}/another:latest`))).toMatch(refused);
            await other.logout(address);
          }
          await known.forget(target);
        },
        stepMs,
      );

    test('an unknown authority is refused', async () => {
      expect(await refusalOf(client([], 'none').push(source, `${unknown}/image:latest`))).toMatch(/certificate|unknown authority/i);
    });
  });
