/**
 * `npm run test:grid [-- --only REGEXP] [--rounds N] [--seed N] [--verbose]`: kill -9 of who holds containers on `strake containerd`, the daemon, a shim, a monitor or an init, at random
 * moments of each operation; after each what must be so is looked at. Printed as a table. Exits with 1 when a promise is broken or something is left.
 */
import { parseArgs } from 'node:util';
import { ensurePeers } from '../../tools/peers/peer-root.ts';
import { buildIfStale } from '../lib/dist.ts';
import { type Cell, type CellOutcome, Grid } from './grid.ts';
import { operations } from './operations.ts';
import { chains } from './targets.ts';

const defaultRounds = 25;

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function row({ chain, target, operation }: Cell, { killed, answered, failed, excused, restartMs }: CellOutcome): string {
  const held = excused.length === 0 ? 'held' : `held, but for ${excused.length} × ${excused[0]}`;
  const restart = restartMs === 0 ? '' : `${Math.round(restartMs)} ms`;
  return `| ${chain.name} | ${target} | ${operation.name} | ${killed} | ${answered} | ${restart} | ${failed.length === 0 ? held : '**broken**'} |`;
}

async function main(argv: readonly string[]): Promise<number> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ args: [...argv], options: { only: text, rounds: text, seed: text, verbose: { type: 'boolean' } } });
  if (!buildIfStale()) return 1;
  await ensurePeers();
  const [only, rounds, seed] = [new RegExp(values.only ?? ''), Number(values.rounds ?? defaultRounds), Number(values.seed ?? Date.now() % 100_000)];
  let broken = 0;
  let played = 0;
  console.log(`Seed ${seed}.\n\n| tasks | kill -9 of | during | killed | answered nevertheless | up again within | promises |\n|${'---|'.repeat(7)}`);
  for (const chain of chains) {
    const names = (target: string, operation: string) => `${chain.name} ${target} ${operation}`;
    let grid: Grid | undefined;
    try {
      for (const target of chain.targets) {
        for (const operation of operations.filter(({ name }) => only.test(names(target, name)))) {
          // A broken world is not played on in.
          grid ??= await Grid.start(seeded(seed));
          const cell: Cell = { chain, target, operation };
          const outcome = await grid.play(cell, rounds, (line) => values.verbose === true && console.error(`    ${names(target, operation.name)}: ${line}`));
          played += 1;
          console.log(row(cell, outcome));
          for (const line of outcome.failed) console.error(`    ${line}`);
          if (outcome.failed.length === 0) continue;
          broken += 1;
          await grid[Symbol.asyncDispose]();
          grid = undefined;
        }
      }
    } finally {
      await grid?.[Symbol.asyncDispose]();
    }
  }
  if (played === 0) throw new Error(`nothing in the grid is named ${only.source}`);
  return broken === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
