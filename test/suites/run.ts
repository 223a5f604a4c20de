/**
 * `npm run test:suites -- --runc-bats DIR --runtime-tools DIR --crun-tests DIR`: the peers' own suites, already built in DIR, on strake-runc or another runtime.
 *
 *   --runtime FILE    what they test (default dist/strake-runc)
 *   --root DIR        the Debian tree that they run in (default the peer root)
 *   --only REGEXP     only files whose name matches
 *   --jobs N          files at a time, each worker in a world of its own (default 2)
 *   --record FILE     one line a test: outcome, tab, `FILE: NAME`, tab, reason of a skip
 *   --output DIR      the whole output of each file
 *   --rootless LIST   runc's suite as an ordinary user with the features in LIST: idmap, cgroup, both with a comma, or empty
 *   --v1-only         hide the v2 tree of a hybrid machine (crun refuses it)
 *
 * Exits with 1 when a test fails that known-failing/ does not list; that is judged only for strake-runc. Says which listed tests pass.
 */
import { mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ensurePeers } from '../../tools/peers/peer-root.ts';
import { peerRootDir } from '../../tools/peers/recipe.ts';
import { buildIfStale } from '../lib/dist.ts';
import { run } from '../lib/process.ts';
import { compare, type NamedResult, parseKnownFailing } from './known-failing.ts';
import { parseFeatures, prepareRootless } from './rootless.ts';
import { SuiteRoot } from './suite-root.ts';
import { crunTests, runcBats, runtimeTools, type SuiteFile } from './suites.ts';
import { parseTap } from './tap.ts';

const repository = path.join(import.meta.dirname, '../..');

async function main(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      'runc-bats': { type: 'string' },
      'runtime-tools': { type: 'string' },
      'crun-tests': { type: 'string' },
      runtime: { type: 'string' },
      root: { type: 'string' },
      only: { type: 'string' },
      jobs: { type: 'string' },
      record: { type: 'string' },
      output: { type: 'string' },
      rootless: { type: 'string' },
      'v1-only': { type: 'boolean' },
    },
  });
  const own = values.runtime === undefined;
  if (own && !buildIfStale()) return 1;
  const runtime = path.resolve(values.runtime ?? path.join(repository, 'dist/strake-runc'));
  const only = new RegExp(values.only ?? '');
  const rootless = values.rootless === undefined ? undefined : parseFeatures(values.rootless);
  const files = [
    ...(values['runc-bats'] === undefined ? [] : runcBats(path.resolve(values['runc-bats']), runtime, rootless)),
    ...(values['runtime-tools'] === undefined ? [] : runtimeTools(path.resolve(values['runtime-tools']), runtime)),
    ...(values['crun-tests'] === undefined ? [] : crunTests(path.resolve(values['crun-tests']), runtime)),
  ].filter(({ name }) => only.test(name));
  if (files.length === 0) throw new Error('nothing to run: give --runc-bats DIR, --runtime-tools DIR or --crun-tests DIR');
  if (values.root === undefined) await ensurePeers();
  const root = path.resolve(values.root ?? peerRootDir);
  const place = { root, visible: visibleDirectories(files, runtime, root), unified: values['v1-only'] !== true };
  const queue = [...files];
  const results = new Map<SuiteFile, NamedResult[]>();
  const work = async () => {
    await using suiteRoot = await SuiteRoot.start(place);
    if (rootless !== undefined) await prepareRootless(suiteRoot, rootless);
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) results.set(file, await runFile(suiteRoot, file, values.output));
  };
  const workers = await Promise.allSettled(Array.from({ length: Number(values.jobs ?? 2) }, work));
  const ordered = files.flatMap((file) => results.get(file) ?? []);
  if (values.record !== undefined) writeFileSync(values.record, ordered.map(recordLine).join(''));
  const failed = report(files, results, own);
  for (const worker of workers) if (worker.status === 'rejected') throw worker.reason;
  return failed;
}

/** The suites' checkouts and the runtime's directory; what lies in the tree itself is there already. */
function visibleDirectories(files: readonly SuiteFile[], runtime: string, root: string): string[] {
  const directories = new Set(files.map(({ checkout }) => checkout));
  if (!runtime.startsWith('/usr/')) directories.add(path.dirname(realpathSync(runtime)));
  return [...directories].filter((directory) => !directory.startsWith(`${root}/`));
}

async function runFile(suiteRoot: SuiteRoot, file: SuiteFile, output: string | undefined): Promise<NamedResult[]> {
  const started = performance.now();
  const env = Object.entries({ HOME: '/root', PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', ...file.env });
  const timed = ['timeout', '-k', '5', String(file.timeoutMs / 1000), ...file.argv];
  const command = ['env', '-i', '-C', file.cwd, ...env.map(([name, value]) => `${name}=${value}`), ...withTerminal(timed)];
  const finished = await run(suiteRoot.command(command), { timeoutMs: file.timeoutMs + 30_000 });
  if (output !== undefined) {
    mkdirSync(output, { recursive: true });
    writeFileSync(path.join(output, `${file.name}.tap`), `${finished.stdout}${finished.stderr}`);
  }
  const results = parseTap(finished.stdout, finished.code).map((result) => ({ ...result, key: `${file.name}: ${result.name}` }));
  const count = (outcome: string) => results.filter((result) => result.outcome === outcome).length;
  console.log(`${file.name}: ${count('ok')} ok, ${count('not ok')} not ok, ${count('skip')} skipped, ${((performance.now() - started) / 1000).toFixed(0)} s`);
  return results;
}

/** runc opens /dev/tty for a container with a terminal: the suite needs a controlling one, though its output goes elsewhere. */
function withTerminal(argv: readonly string[]): string[] {
  const quoted = argv.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
  return ['sh', '-c', `exec 3>&1 4>&2; exec script -qec "$0" /dev/null >/dev/null`, `exec ${quoted} </dev/null >&3 2>&4 3>&- 4>&-`];
}

function recordLine({ outcome, key, detail }: NamedResult): string {
  return `${outcome}\t${key}${outcome === 'skip' ? `\t${detail}` : ''}\n`;
}

function report(files: readonly SuiteFile[], results: ReadonlyMap<SuiteFile, readonly NamedResult[]>, judged: boolean): number {
  let unexpected = 0;
  for (const list of new Set(files.map((file) => file.list))) {
    const ran = files.filter((file) => file.list === list).flatMap((file) => results.get(file) ?? []);
    const known = parseKnownFailing(readFileSync(path.join(import.meta.dirname, 'known-failing', `${list}.txt`), 'utf8'));
    const compared = compare(ran, judged ? known : new Map());
    for (const { key, detail } of compared.unexpected) console.log(`\nnot ok: ${key}\n${detail}`);
    for (const key of compared.passing) console.log(`passes, but is listed as failing: ${key}`);
    console.log(`${list}: ${compared.passed} passed, ${compared.unexpected.length} failed, ${compared.known} known failing, ${compared.skipped} skipped`);
    unexpected += compared.unexpected.length;
  }
  return judged && unexpected > 0 ? 1 : 0;
}

process.exitCode = await main(process.argv.slice(2));
