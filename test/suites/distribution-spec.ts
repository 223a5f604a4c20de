/**
 * `npm run test:distribution -- PROGRAM [--output DIR] [--version VERSION]`: the conformance suite of OCI's distribution-spec, built from its source,
 * first on Debian's docker-registry, to show what the peer passes, then on `strake registry`.
 *
 *   --output DIR       what the suite writes goes to DIR/NAME: junit.xml, report.html, results.yaml, output.txt (default test-results/distribution-spec)
 *   --version VERSION  what the suite tests: 1.0, 1.1, or dev with what has no release yet (default dev)
 *
 * Exits with 1 when a test fails, or is skipped, on ours.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ensurePeers } from '../../tools/peers/peer-root.ts';
import { strakeDist } from '../lib/dist.ts';
import { PeerWorld } from '../lib/peer-world.ts';

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
  if (spawnSync(process.execPath, ['tools/build.ts', '--if-stale'], { cwd: repository, stdio: 'inherit' }).status !== 0) return 1;
  await ensurePeers();
  const output = path.resolve(values.output ?? path.join(repository, 'test-results/distribution-spec'));
  await using peers = await PeerWorld.start();
  const suite = { program: path.resolve(program), output, version: values.version ?? 'dev', peers };
  await startPeer(peers);
  await runSuite(suite, 'docker-registry', { OCI_REGISTRY: peerAddress, OCI_TLS: 'disabled' });
  await startOurs(peers);
  const ours = await runSuite(suite, 'strake-registry', { OCI_REGISTRY: address, OCI_TLS: 'disabled' });
  return ours.passed > 0 && ours.failed === 0 && ours.skipped === 0 ? 0 : 1;
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

async function startOurs(peers: PeerWorld): Promise<void> {
  const registry = peers.world.spawn([
    path.join(strakeDist, 'strake'),
    'registry',
    '--addr',
    address,
    '--root',
    path.join(peers.world.work, 'strake-registry'),
  ]);
  await registry.output(/registry listens on/, { stream: 'stderr' });
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
