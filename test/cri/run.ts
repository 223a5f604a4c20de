/**
 * `npm run test:cri -- --critest FILE [--against NAME]`: critest of cri-tools, built by who calls, on a CRI in a world of its own, with images that are made here.
 *
 *   --against NAME    what is tested, of chains.ts (default ours)
 *   --handler NAME    pods of this runtime handler: of ours, runc, crun, or the shims runc-shim and strake-shim; over a containerd, strake-shim
 *   --focus REGEXP    only cases whose name matches
 *   --skip REGEXP     none of those
 *   --websocket       exec, attach and port-forward over WebSocket instead of SPDY
 *   --ginkgo FILE     the program of that name of the same build; with --parallel N, cases at a time
 *   --leaks           one more case: when all have run, the kernel holds nothing that it did not before
 *   --record FILE     one line a case: outcome, tab, name, tab, ms, tab, reason
 *   --output FILE     everything that critest printed
 *
 * Exits with 1 when a case fails that known-failing/NAME.txt does not list. Says which listed cases pass.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ensurePeers } from '../../tools/peers/peer-root.ts';
import { buildIfStale } from '../lib/dist.ts';
import { type Snapshot, settledLeaks, snapshot } from '../lib/leaks.ts';
import { compare, parseKnownFailing } from '../suites/known-failing.ts';
import { chainNamed } from './chains.ts';
import { CriWorld } from './cri-world.ts';
import { type CaseResult, readReport } from './report.ts';

const timeoutMs = 45 * 60_000;

interface Wanted {
  readonly critest: string;
  readonly against: string;
  readonly flags: readonly string[];
  /** Programs that critest starts by name. */
  readonly beside: readonly string[];
  readonly output: string | undefined;
  readonly leaks: boolean;
}

async function runCritest({ critest, against, flags, beside, output, leaks }: Wanted): Promise<CaseResult[]> {
  const chain = chainNamed(against);
  await using world = await CriWorld.start();
  const endpoint = await chain.start(world);
  const report = path.join(world.work, 'report.json');
  const program = world.install(critest);
  for (const one of beside) world.install(one);
  const run = async (...more: readonly string[]) => {
    const given = ['-runtime-endpoint', endpoint, '-ginkgo.no-color', ...more];
    // PATH: critest runs ginkgo for cases at a time.
    return await world.peers.run(['sh', '-c', 'PATH=$PATH:$(dirname "$0"); export PATH; exec "$0" "$@"', program, ...given], { timeoutMs });
  };
  // What comes with the first container stays: the network, the cgroup of all pods.
  if (leaks) await run('-ginkgo.focus', 'runtime should support starting container');
  const before = leaks ? await whatIsThere(world) : undefined;
  const finished = await run(`-ginkgo.json-report=${report}`, ...flags);
  if (output !== undefined) writeFileSync(output, `${finished.stdout}${finished.stderr}\n${world.log}`);
  if (!existsSync(report)) throw new Error(`critest: exit ${finished.code} without a report: ${finished.stdout.slice(-3000)}${finished.stderr.slice(-3000)}`);
  const results = readReport(readFileSync(report, 'utf8'));
  if (before === undefined) return results;
  const left = await settledLeaks(before, async () => await whatIsThere(world));
  const key = 'nothing is left';
  return [...results, { key, name: key, outcome: left.length === 0 ? 'ok' : 'not ok', detail: left.join('\n'), ms: 0 }];
}

/** What the kernel holds for whoever runs in the world, and what is mounted in the peer root. */
async function whatIsThere({ peers }: CriWorld): Promise<Snapshot> {
  const mounts = (await peers.output(['cat', '/proc/self/mountinfo'])).trim().split('\n');
  return { ...(await snapshot(peers)), mount: mounts.map((line) => line.split(' ').slice(4, 5).join('')) };
}

async function main(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      critest: { type: 'string' },
      against: { type: 'string', default: 'ours' },
      handler: { type: 'string' },
      focus: { type: 'string' },
      skip: { type: 'string' },
      websocket: { type: 'boolean' },
      ginkgo: { type: 'string' },
      parallel: { type: 'string' },
      record: { type: 'string' },
      output: { type: 'string' },
      leaks: { type: 'boolean', default: false },
    },
  });
  if (values.critest === undefined) throw new Error('--critest FILE: the program of cri-tools');
  if (!buildIfStale()) return 1;
  await ensurePeers();
  const results = await runCritest({
    critest: values.critest,
    against: values.against,
    flags: [
      ...(values.handler === undefined ? [] : ['-runtime-handler', values.handler]),
      ...(values.focus === undefined ? [] : ['-ginkgo.focus', values.focus]),
      ...(values.skip === undefined ? [] : ['-ginkgo.skip', values.skip]),
      ...(values.parallel === undefined ? [] : ['-parallel', values.parallel]),
      ...(values.websocket === true ? ['-websocket-exec', '-websocket-attach', '-websocket-portforward'] : []),
    ],
    beside: values.ginkgo === undefined ? [] : [values.ginkgo],
    output: values.output,
    leaks: values.leaks,
  });
  if (values.record !== undefined) writeFileSync(values.record, results.map(recordLine).sort().join(''));
  const variants = [...(values.websocket === true ? ['websocket'] : []), ...(values.handler === undefined ? [] : [values.handler])];
  return judge([values.against, ...variants.map((variant) => `${values.against}-${variant}`)], results);
}

function recordLine({ outcome, key, ms, detail }: CaseResult): string {
  return `${outcome}\t${key}\t${ms}\t${detail.split('\n')[0]}\n`;
}

/** `lists`: names of lists of known failures, the first that of the chain. */
function judge(lists: readonly string[], results: readonly CaseResult[]): number {
  const files = lists.map((name) => path.join(import.meta.dirname, 'known-failing', `${name}.txt`)).filter((file) => existsSync(file));
  const compared = compare(results, new Map(files.flatMap((file) => [...parseKnownFailing(readFileSync(file, 'utf8'))])));
  for (const { key, detail } of compared.unexpected) console.log(`\nnot ok: ${key}\n${detail}`);
  for (const key of compared.passing) console.log(`passes, but is listed as failing: ${key}`);
  const { passed, unexpected, known, skipped } = compared;
  console.log(`critest on ${lists.at(-1)}: ${passed} passed, ${unexpected.length} failed, ${known} known failing, ${skipped} skipped`);
  return unexpected.length > 0 ? 1 : 0;
}

process.exitCode = await main(process.argv.slice(2));
