// Builds dist/ (or the directory that STRAKE_DIST names): strake-init and strake-hello (C), strake-decider (QuickJS), the strake executable (Bun), and its links.
// `--if-stale` does nothing when they are newer than every source.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { buildDecider } from './decider.ts';

const root = path.join(import.meta.dirname, '..');
const dist = path.resolve(root, process.env['STRAKE_DIST'] ?? 'dist');
/** Names under which a program has another face. */
const links = { 'strake-runc': 'strake-init', 'containerd-shim-strake-v2': 'strake' };

if (!process.argv.includes('--if-stale') || isStale()) await build();

async function build(): Promise<void> {
  const define = { STRAKE_COMMIT: JSON.stringify(sourceCommit()) };
  mkdirSync(dist, { recursive: true });
  run('make', ['-s', '-C', 'native', `OUT=${dist}`]);
  await buildDecider({ main: path.join(root, 'src/cmd/strake-runc.ts'), work: path.join(root, 'native/build/decider'), out: dist, define });
  run(process.execPath, [
    'build',
    'src/cmd/strake.ts',
    '--compile',
    '--minify-syntax',
    '--minify-whitespace',
    '--bytecode',
    // Without it every face pays for the node: modules of all the others.
    '--splitting',
    '--format=esm',
    '--no-compile-autoload-dotenv',
    '--no-compile-autoload-bunfig',
    '--no-compile-autoload-tsconfig',
    '--no-compile-autoload-package-json',
    ...Object.entries(define).map(([name, value]) => `--define=${name}=${value}`),
    `--outfile=${path.join(dist, 'strake')}`,
  ]);
  for (const [link, program] of Object.entries(links)) {
    rmSync(path.join(dist, link), { force: true });
    symlinkSync(program, path.join(dist, link));
  }
}

function run(command: string, args: readonly string[]): void {
  const result = spawnSync(command, args, { cwd: root, encoding: 'utf8' });
  if (result.status === 0) return;
  process.stderr.write(`${command} ${args.join(' ')} failed:\n${result.stdout ?? ''}${result.stderr ?? ''}${result.error?.message ?? ''}\n`);
  process.exit(1);
}

/** The commit, with `-dirty` behind it when files differ; outside a repository there is none to tell. */
function sourceCommit(): string {
  const { status, stdout } = spawnSync('git', ['describe', '--always', '--dirty', '--abbrev=12'], { cwd: root, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : 'unknown';
}

function isStale(): boolean {
  if (['strake-init', 'strake-hello', 'strake-decider'].some((name) => !existsSync(path.join(dist, name)))) return true;
  // The executable is written last, whatever changed.
  const built = statSync(path.join(dist, 'strake'), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return built < Math.max(...['src', 'native', 'package-lock.json', 'tools/build.ts'].map((name) => newestBelow(path.join(root, name))));
}

function newestBelow(file: string): number {
  const stat = statSync(file);
  if (!stat.isDirectory()) return stat.mtimeMs;
  if (file === path.join(root, 'native/build')) return 0;
  return Math.max(0, ...readdirSync(file).map((name) => newestBelow(path.join(file, name))));
}
