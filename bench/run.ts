/**
 * `npm run bench`: Strake beside docker, podman, ctr, containerd, runc and crun on this machine, in one run. Writes bench/RESULTS.md; exits with 1 when a
 * target is missed. `--quick`: few rounds, nothing written. `--peers-only`: without ours. `--only engine|runtime|images|containerd|cri`: that part, nothing written;
 * `--only images --row pull|memory|push|save|load|commit|registry`: of that part these rows.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildIfStale } from '../test/lib/dist.ts';
import { ensurePeers } from '../tools/peers/peer-root.ts';
import { everything, measureParts, parts, type Wanted } from './cases.ts';
import { measureCriBesideContainerd } from './cri.ts';
import { disk, measureOnDisk } from './disk.ts';
import { imageRows } from './images.ts';
import { Machines } from './machines.ts';
import type { CaseResult, Rounds } from './measure.ts';
import { measureMemory } from './memory.ts';
import { judge, report } from './report.ts';

const root = join(import.meta.dirname, '..');

async function main(flags: readonly string[]): Promise<number> {
  const quick = flags.includes('--quick');
  const wanted = wantedOf(flags);
  const isWhole = wanted === everything;
  const withStrake = !flags.includes('--peers-only');
  if (withStrake && !buildIfStale()) return 1;
  await ensurePeers();
  const rounds: Rounds = quick ? { run: 5, pull: 1 } : { run: 30, pull: 3 };
  const results: CaseResult[] = [];
  if (wanted.parts.some((part) => part !== 'cri')) {
    await using machines = await Machines.start(withStrake);
    results.push(...(await measureParts(machines, rounds, wanted)));
    if (isWhole) results.push(await measureMemory(machines, quick ? 10 : 100, quick ? 2 : 10));
  }
  if (wanted.parts.includes('cri')) results.push(...(await measureCriBesideContainerd(withStrake, rounds.run)));
  const verdicts = judge(results);
  const text = report(results, verdicts, new Date());
  console.log(text);
  if (!quick && withStrake && isWhole) writeFileSync(join(root, 'bench/RESULTS.md'), text);
  return verdicts.every((verdict) => verdict.reached) ? 0 : 1;
}

function wantedOf(flags: readonly string[]): Wanted {
  const part = chosen(flags, '--only', parts);
  const row = chosen(flags, '--row', imageRows);
  if (row !== undefined && part !== 'images') throw new Error('--row is of --only images');
  if (part === undefined) return everything;
  return { parts: [part], rows: row === undefined ? imageRows : [row] };
}

/** Undefined: the flag is not there. */
function chosen<Name extends string>(flags: readonly string[], flag: string, names: readonly Name[]): Name | undefined {
  if (!flags.includes(flag)) return undefined;
  const named = flags[flags.indexOf(flag) + 1];
  const name = names.find((one) => one === named);
  if (name === undefined) throw new Error(`${flag} ${named}: ${names.join(', ')} are there`);
  return name;
}

process.exitCode = disk === undefined ? measureOnDisk([process.execPath, ...process.argv.slice(1)]) : await main(process.argv.slice(2));
