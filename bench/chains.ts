/**
 * `npm run bench:chains -- [--rounds N] [NAME…]`: the same pod through each chain of test/cri/chains.ts, or those named, each in a world of its own: what a hop
 * more costs. Prints tables of medians in ms, and writes those of all chains to bench/CHAINS.md.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chains } from '../test/cri/chains.ts';
import { buildIfStale } from '../test/lib/dist.ts';
import { ensurePeers } from '../tools/peers/peer-root.ts';
import { measureCri, type PodRows } from './cri.ts';
import { disk, measureOnDisk } from './disk.ts';
import type { CaseResult } from './measure.ts';
import { circumstances } from './report.ts';

const rows: readonly PodRows[] = [
  { prefix: "A pod on the node's network: ", network: 'node' },
  { prefix: 'A pod in a network of its own: ', network: 'pod' },
];

async function main(argv: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args: [...argv], options: { rounds: { type: 'string', default: '10' } }, allowPositionals: true });
  const names = positionals.length > 0 ? positionals : Object.keys(chains);
  const unknown = names.filter((name) => !Object.hasOwn(chains, name));
  if (unknown.length > 0) throw new Error(`${unknown.join(', ')}: ${Object.keys(chains).join(', ')} are there`);
  if (!buildIfStale()) return 1;
  await ensurePeers();
  const measured = new Map<string, readonly CaseResult[]>();
  for (const name of names) measured.set(name, await measureCri({ [name]: name }, Number(values.rounds), rows));
  const tables = rows.map(({ prefix }) => table(prefix, measured));
  console.log(tables.join('\n'));
  if (positionals.length === 0) writeFileSync(join(import.meta.dirname, 'CHAINS.md'), [...head(Number(values.rounds)), ...tables].join('\n'));
  return 0;
}

function head(rounds: number): readonly string[] {
  return [
    '# The same pod through each chain: `npm run bench:chains`',
    '',
    ...circumstances(new Date()),
    `Medians of ${rounds} rounds in ms. Each chain in a world of its own, one after the other; what they are: test/README.md.`,
    '',
  ];
}

function table(prefix: string, measured: ReadonlyMap<string, readonly CaseResult[]>): string {
  const lives = [...measured].map(([chain, results]) => ({ chain, cells: results.filter(({ name }) => name.startsWith(prefix)) }));
  const columns = lives[0]?.cells.map(({ name }) => name.slice(prefix.length)) ?? [];
  const lines = lives.map(({ chain, cells }) => `| ${chain} | ${cells.map(({ medians }) => (medians[chain] ?? Number.NaN).toFixed(1)).join(' | ')} |`);
  return [`## ${prefix.replace(/: $/, '')}`, '', `| | ${columns.join(' | ')} |`, `|---|${columns.map(() => '---:|').join('')}`, ...lines, ''].join('\n');
}

process.exitCode = disk === undefined ? measureOnDisk([process.execPath, ...process.argv.slice(1)]) : await main(process.argv.slice(2));
