/**
 * `npm run test:distribution -- PROGRAM [--output DIR] [--version VERSION]`: the conformance suite of OCI's distribution-spec, built from its source,
 * first on Debian's docker-registry, to show what the peer passes, then on `strake registry`: open, with passwords over TLS, and with tokens.
 *
 *   --output DIR       what the suite writes goes to DIR/NAME: junit.xml, report.html, results.yaml, output.txt (default test-results/distribution-spec)
 *   --version VERSION  what the suite tests: 1.0, 1.1, or dev with what has no release yet (default dev)
 *
 * Exits with 1 when a test fails on ours, or is skipped but for the mounts with tokens.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { hashSync } from 'bcryptjs';
import { ensurePeers } from '../../tools/peers/peer-root.ts';
import { buildIfStale, strakeDist } from '../lib/dist.ts';
import { PeerWorld } from '../lib/peer-world.ts';
import type { Running } from '../lib/process.ts';

const repository = path.join(import.meta.dirname, '../..');
const suiteTimeoutMs = 300_000;
const peerAddress = '127.0.0.1:5000';
const address = '127.0.0.1:5001';

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

async function main(argv: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args: [...argv], allowPositionals: true, options: { output: { type: 'string' }, version: { type: 'string' } } });
  const [program] = positionals;
  if (program === undefined) throw new Error('give the conformance program, built from its source (test/suites/README.md)');
  if (!buildIfStale()) return 1;
  await ensurePeers();
  const output = path.resolve(values.output ?? path.join(repository, 'test-results/distribution-spec'));
  await using peers = await PeerWorld.start();
  const suite = { program: path.resolve(program), output, version: values.version ?? 'dev', peers };
  await startPeer(peers);
  await runSuite(suite, 'docker-registry', { OCI_REGISTRY: peerAddress, OCI_TLS: 'disabled' });
  const login = { OCI_USERNAME: 'ann', OCI_PASSWORD: 's3cret' };
  const htpasswd = path.join(peers.world.work, 'htpasswd');
  writeFileSync(htpasswd, `${login.OCI_USERNAME}:${hashSync(login.OCI_PASSWORD, 5)}\n`);
  const all: Counts[] = [];
  for (const [name, flags, env] of [
    ['strake-registry', [], { OCI_TLS: 'disabled' }],
    [
      'strake-registry-tls',
      ['--htpasswd', htpasswd, ...(await certificate(peers))],
      { OCI_TLS: 'enabled', SSL_CERT_FILE: path.join(peers.world.work, 'cert.pem'), ...login },
    ],
    ['strake-registry-token', ['--htpasswd', htpasswd, '--auth', 'token'], { OCI_TLS: 'disabled', ...login }],
  ] as const) {
    const registry = await startOurs(peers, name, flags);
    all.push(await runSuite(suite, name, { OCI_REGISTRY: address, ...env }));
    await registry.stop();
  }
  // The suite's client asks for no token that lets it read where it mounts from, and is sent to upload instead: these four count as skipped.
  return all.every(({ passed, failed, skipped }, index) => passed > 0 && failed === 0 && skipped === (index === 2 ? 4 : 0)) ? 0 : 1;
}

/** The flags of a certificate that signs itself. */
async function certificate(peers: PeerWorld): Promise<string[]> {
  const file = (name: string) => path.join(peers.world.work, name);
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', file('key.pem'), '-out', file('cert.pem')];
  await peers.output(['openssl', 'req', '-x509', '-days', '2', ...key, '-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1']);
  return ['--tls-cert', file('cert.pem'), '--tls-key', file('key.pem')];
}

async function startPeer(peers: PeerWorld): Promise<void> {
  const config = path.join(peers.world.work, 'docker-registry.yml');
  writeFileSync(
    config,
    `version: 0.1
log: {level: info, accesslog: {disabled: true}}
storage:
  filesystem: {rootdirectory: ${peers.world.work}/docker-registry}
  delete: {enabled: true}
http: {addr: "${peerAddress}"}
`,
  );
  const registry = peers.spawn(['docker-registry', 'serve', config], { env: { OTEL_TRACES_EXPORTER: 'none' } });
  await registry.output(/listening on/, { stream: 'stderr' });
}

async function startOurs(peers: PeerWorld, name: string, flags: readonly string[]): Promise<Running> {
  const root = path.join(peers.world.work, name);
  const registry = peers.world.spawn([path.join(strakeDist, 'strake'), 'registry', '--addr', address, '--root', root, ...flags]);
  await registry.output(/registry listens on/, { stream: 'stderr' });
  return registry;
}

async function runSuite(
  { program, output, version, peers }: { readonly program: string; readonly output: string; readonly version: string; readonly peers: PeerWorld },
  name: string,
  env: Readonly<Record<string, string>>,
): Promise<Counts> {
  const results = path.join(output, name);
  rmSync(results, { recursive: true, force: true });
  mkdirSync(results, { recursive: true });
  const finished = await peers.world.run([program], { env: { ...env, OCI_VERSION: version, OCI_RESULTS_DIR: results }, timeoutMs: suiteTimeoutMs });
  writeFileSync(path.join(results, 'output.txt'), `${finished.stdout}${finished.stderr}`);
  const count = (word: string) => Number(new RegExp(`^ +${word}\\.+: +(\\d+)$`, 'm').exec(finished.stdout + finished.stderr)?.[1] ?? 0);
  const counts = { passed: count('Pass'), failed: count('FAIL') + count('Error'), skipped: count('Skip') };
  console.log(`${name}: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped (${path.join(results, 'junit.xml')})`);
  return counts;
}

process.exitCode = await main(process.argv.slice(2));
