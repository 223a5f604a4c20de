// `npm run test:v2`: the tests of the runtime in an emulated machine whose cgroups are pure v2. Arguments: test files, and flags of `bun test`.
import { spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { ensureProgram } from '../../test/lib/compile.ts';
import { emulatorTools, ensureHostTools } from '../peers/host-tools.ts';
import { ensurePeers } from '../peers/peer-root.ts';
import { peerRootDir } from '../peers/recipe.ts';
import { runLogged } from '../peers/shell.ts';
import { ensureKernel } from './kernel.ts';
import { runMachine } from './machine.ts';

const root = realpathSync(join(import.meta.dirname, '../..'));
const bun = realpathSync(process.execPath);
const guestBun = '/opt/bun';
const guestCommand = '/opt/command';
const timeoutMs = 600_000;
const diskSize = '4G';
const testTimeoutMs = 120_000;
/** The emulated processor does what this machine's does in about a fifteenth of the time. */
const slowness = 15;

async function main(args: readonly string[]): Promise<number> {
  ensureHostTools(emulatorTools);
  const built = spawnSync(process.execPath, [join(root, 'tools/build.ts'), '--if-stale'], { cwd: root, stdio: 'inherit' }).status ?? 1;
  if (built !== 0) return built;
  await ensurePeers();
  for (const source of globSync('test/**/*.c', { cwd: root })) ensureProgram(join(root, source)); // there is no compiler in there
  const work = mkdtempSync('/tmp/strake-v2-');
  try {
    writeFileSync(join(work, 'run.sh'), command(args));
    const disk = join(work, 'disk');
    runLogged(join(work, 'disk.log'), ['mke2fs', '-q', '-t', 'ext4', '-O', '^has_journal', disk, diskSize]);
    return await runMachine({
      kernel: ensureKernel(),
      shares: [
        { source: peerRootDir, target: '/' },
        { source: root, target: root },
        { source: dirname(bun), target: guestBun },
        { source: work, target: guestCommand },
      ],
      parameters: [`strake.guest=${root}/tools/cgroup-v2/guest.sh`, `strake.repository=${root}`, `strake.command=${guestCommand}/run.sh`],
      disk,
      work,
      timeoutMs,
    });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** A shell script: each file in a `bun test` of its own, as many at once as there are processors, the longest first; output comes a file at a time. */
function command(args: readonly string[]): string {
  const named = args.filter((arg) => arg.endsWith('.ts'));
  const files = named.length > 0 ? named : globSync('test/runtime/**/*.test.ts', { cwd: root });
  const sizeOf = (file: string) => statSync(join(root, file)).size;
  const ordered = files.toSorted((a, b) => sizeOf(b) - sizeOf(a));
  const flags = [`--timeout=${testTimeoutMs}`, ...args.filter((arg) => !arg.endsWith('.ts'))];
  const one = `log=$(mktemp); ${guestBun}/${basename(bun)} test ${flags.map(quoted).join(' ')} "./$1" >"$log" 2>&1; status=$?; flock /tmp/output cat "$log"; exit $status`;
  return `export NO_COLOR=1 STRAKE_TEST_SLOWNESS=${slowness}
printf '%s\\n' ${ordered.map(quoted).join(' ')} | xargs -P "$(nproc)" -I {} sh -c ${quoted(one)} sh {}
`;
}

/** For sh. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

process.exitCode = await main(process.argv.slice(2));
