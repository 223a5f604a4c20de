// `npm test`: installs with apt what the tests need, builds, checks, then runs every test. Arguments: directories whose tests are run instead, or what `bun test` is handed (files, name filters, flags).
import { spawnSync } from 'node:child_process';
import { closeSync, globSync, mkdtempSync, openSync, readdirSync, rmSync, statSync, writeSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { ensureHostTools } from './peers/host-tools.ts';

const root = path.join(import.meta.dirname, '..');
const flags = ['test', '--timeout=60000'];
/** It begins: nothing else takes as long, and its size does not say so. */
const longest = 'test/e2e/docker-cli.test.ts';
/** Of one `bun test`: a test that blocks its process has no other end. */
const runTimeoutMs = 900_000;

const bun = (...args: string[]) => spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' }).status ?? 1;

/** All below test/ but what takes minutes and has a command of its own. */
function testDirectories(): string[] {
  return readdirSync(path.join(root, 'test'))
    .filter((name) => !['peers', 'containerd'].includes(name))
    .map((name) => `test/${name}`);
}

function testFiles(directory: string): string[] {
  return globSync(`${directory}/**/*.test.ts`, { cwd: root });
}

const isDirectory = (name: string) => statSync(path.join(root, name), { throwIfNoEntry: false })?.isDirectory() ?? false;

/** Files of one `bun test`. */
type Run = readonly string[];

/** A run for each file, but one for all unit tests, which are many and short. */
function runsOf(directories: readonly string[]): Run[] {
  const units = directories.filter((name) => !name.startsWith('test/')).flatMap(testFiles);
  const others = directories.filter((name) => name.startsWith('test/')).flatMap(testFiles);
  return [...(units.length > 0 ? [units] : []), ...others.map((file) => [file])];
}

/** As many at once as there are processors, the longest first; what one prints comes when it has ended. The number of those that failed. */
async function runAll(runs: readonly Run[]): Promise<number> {
  const waiting = runs.toSorted((a, b) => weight(b) - weight(a));
  const directory = mkdtempSync(path.join(tmpdir(), 'strake-test-'));
  let failed = 0;
  const lane = async (): Promise<void> => {
    for (let run = waiting.shift(); run !== undefined; run = waiting.shift()) if (!(await passes(run, directory, waiting.length))) failed++;
  };
  try {
    await Promise.all(Array.from({ length: availableParallelism() }, lane));
  } finally {
    rmSync(directory, { recursive: true });
  }
  return failed;
}

function weight(run: Run): number {
  if (run.includes(longest)) return Number.POSITIVE_INFINITY;
  return run.reduce((total, file) => total + statSync(path.join(root, file)).size, 0);
}

async function passes(run: Run, directory: string, number: number): Promise<boolean> {
  const output = path.join(directory, String(number));
  const file = openSync(output, 'wx');
  // Into a file: what comes through a pipe can be lost on its way, and its end with it.
  const child = Bun.spawn([process.execPath, ...flags, ...run.map((one) => `./${one}`)], { cwd: root, stdio: ['ignore', file, file] });
  const timer = setTimeout(() => {
    writeSync(file, `error: ${run.join(' ')}: no end within ${runTimeoutMs / 1000} s, killed\n`);
    child.kill('SIGKILL');
  }, runTimeoutMs);
  const status = await child.exited;
  clearTimeout(timer);
  closeSync(file);
  spawnSync('cat', [output], { stdio: 'inherit' });
  return status === 0;
}

async function main(args: readonly string[]): Promise<number> {
  ensureHostTools();
  const built = bun('tools/build.ts', '--if-stale');
  if (built !== 0) return built;
  const checked = args.length > 0 ? 0 : bun('tools/check.ts');
  if (!args.every(isDirectory)) return bun(...flags, ...args);
  const failed = await runAll(runsOf(args.length > 0 ? args : ['src', 'native', ...testDirectories()]));
  if (failed > 0) console.error(`${failed} runs of tests failed`);
  return checked || (failed > 0 ? 1 : 0);
}

process.exitCode = await main(process.argv.slice(2));
