/**
 * `npm run test:matrix [-- --only REGEXP] [--verbose]`: one life of a container, step by step, on every chain of engine, containerd, shim and runtime, each in a world of
 * its own; printed as a table. Exits with 1 when a step fails or something is left.
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ensurePeers } from '../../tools/peers/peer-root.ts';
import { busybox } from '../e2e/steps/step.ts';
import { buildIfStale } from '../lib/dist.ts';
import { idleSnapshot, leaksSince } from '../lib/leaks.ts';
import { PeerWorld } from '../lib/peer-world.ts';
import { warm } from '../lib/play.ts';
import { until } from '../lib/until.ts';
import { type Chain, type ChainNames, type ChainRecipe, chains } from './chains.ts';
import { Life, lifecycle } from './lifecycle.ts';

interface Outcome {
  readonly names: ChainNames;
  /** Why it is not run here. */
  readonly unfit?: string;
  readonly passed: number;
  /** `step: why` */
  readonly failed: readonly string[];
  /** The same, of what is known to go otherwise. */
  readonly differs: readonly string[];
}

/** Before the first the image is pulled; the last is that nothing is left. */
const stepCount = lifecycle.length + 2;

/** Daemons are other processes than before. */
const restarted =
  /^(process|socket) (gained|lost): .*(dockerd|containerd|strake daemon|strake-init zygote|zygote\.sock|docker\.sock|strake\.sock|libnetwork\/\w+\.sock)|^process lost: \d+ zombie/;

/** A shim of many containers stays for a while when the last one has gone. */
async function shimsEnded({ engine: { world } }: Chain): Promise<void> {
  await until('the shims to end', () => world.pids().every((pid) => !isShim(world.commandLine(pid))), 30_000);
}

/** A daemon's flags may name one. */
function isShim(commandLine: string): boolean {
  return commandLine
    .split('\0')
    .slice(0, 2)
    .some((word) => path.basename(word).startsWith('containerd-shim'));
}

async function play(recipe: ChainRecipe, verbose: boolean): Promise<Outcome> {
  const outcome = { names: recipe, passed: 0, failed: [] as string[], differs: [] as string[] };
  const unfit = await whyUnfit(recipe);
  if (unfit !== undefined) return { ...outcome, unfit };
  const attempt = async (name: string, act: () => Promise<void>) => {
    const begun = performance.now();
    try {
      await act();
      outcome.passed += 1;
      if (verbose) console.error(`    ${name} (${Math.round(performance.now() - begun)} ms)`);
    } catch (error) {
      const reason = recipe.differs?.[name];
      if (reason === undefined) outcome.failed.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
      else outcome.differs.push(`${name}: ${reason}`);
    }
  };
  await using chain = await recipe.start();
  await attempt('pull, and run once', async () => await warm(chain.engine, busybox));
  if (outcome.failed.length > 0) return outcome;
  await shimsEnded(chain);
  const before = await idleSnapshot(chain.engine.peers);
  const life = new Life(chain);
  for (const { name, play: act } of lifecycle) await attempt(name, async () => await act(life));
  await attempt('nothing is left', async () => {
    await shimsEnded(chain);
    const left = (await leaksSince(before, chain.engine.peers)).filter((line) => !restarted.test(line));
    if (left.length > 0) throw new Error(left.join('; '));
  });
  return outcome;
}

async function whyUnfit({ unfit }: ChainRecipe): Promise<string | undefined> {
  if (unfit === undefined) return undefined;
  await using peers = await PeerWorld.start();
  return await unfit(peers);
}

const columns = ['engine', 'containerd', 'shim', 'runtime'] as const;

function row({ names, passed, differs, unfit }: Outcome): string {
  if (unfit !== undefined) return `| ${columns.map((column) => names[column]).join(' | ')} | not on this machine: ${unfit} |`;
  const known = differs.length === 0 ? '' : `; ${differs.join('; ')}`;
  return `| ${columns.map((column) => names[column]).join(' | ')} | ${passed} of ${stepCount}${known} |`;
}

async function main(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({ args: [...argv], options: { only: { type: 'string' }, verbose: { type: 'boolean' } } });
  if (!buildIfStale()) return 1;
  await ensurePeers();
  const only = new RegExp(values.only ?? '');
  const outcomes: Outcome[] = [];
  console.log(`| ${columns.join(' | ')} | steps |\n|${'---|'.repeat(columns.length + 1)}`);
  for (const recipe of chains.filter((one) => only.test(columns.map((column) => one[column]).join(' ')))) {
    const outcome = await play(recipe, values.verbose === true);
    outcomes.push(outcome);
    console.log(row(outcome));
    for (const line of outcome.failed) console.error(`    ${line}`);
  }
  if (outcomes.length === 0) throw new Error(`no chain is named ${only.source}`);
  return outcomes.every(({ failed }) => failed.length === 0) ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
