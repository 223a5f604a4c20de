/**
 * `npm run bench`: Strake beside docker, podman, ctr, runc and crun on this machine, in one run. Writes bench/RESULTS.md; exits with 1 when a
 * target is missed. `--quick`: few rounds, nothing written. `--peers-only`: without ours. `--only engine|runtime|images`: that part, nothing written.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensurePeers } from '../tools/peers/peer-root.ts';
import { measureParts, type Part, parts } from './cases.ts';
import { Machines } from './machines.ts';
import { measureMemory } from './memory.ts';
import { judge, report } from './report.ts';

const root = join(import.meta.dirname, '..');

async function main(flags: readonly string[]): Promise<number> {
  const quick = flags.includes('--quick');
  const only = onlyOf(flags);
  const withStrake = !flags.includes('--peers-only');
  if (withStrake) {
    const built = spawnSync(process.execPath, ['tools/build.ts', '--if-stale'], { cwd: root, stdio: 'inherit' });
    if (built.status !== 0) return 1;
  }
  await ensurePeers();
  await using machines = await Machines.start(withStrake);
  const results = await measureParts(machines, quick ? { run: 5, pull: 1 } : { run: 30, pull: 3 }, only === undefined ? parts : [only]);
  if (only === undefined) results.push(await measureMemory(machines, quick ? 10 : 100, quick ? 2 : 10));
  const verdicts = judge(results);
  const text = report(results, verdicts, new Date());
  console.log(text);
  if (!quick && withStrake && only === undefined) writeFileSync(join(root, 'bench/RESULTS.md'), text);
  return verdicts.every((verdict) => verdict.reached) ? 0 : 1;
}

/** Undefined: all. */
function onlyOf(flags: readonly string[]): Part | undefined {
  if (!flags.includes('--only')) return undefined;
  const named = flags[flags.indexOf('--only') + 1];
  const part = parts.find((one) => one === named);
  if (part === undefined) throw new Error(`--only ${named}: ${parts.join(', ')} are there`);
  return part;
}

process.exitCode = await main(process.argv.slice(2));
