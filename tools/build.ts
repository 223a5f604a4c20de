// Builds dist/: strake-init and strake-hello (C), the strake executable (Bun), and its links. `--if-stale` does nothing when dist/ is newer than every source.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs';
import path from 'node:path';

const root = path.join(import.meta.dirname, '..');
const dist = path.join(root, 'dist');
/** Faces of the one executable, as links to it. */
const links = ['strake-runc'];

if (!process.argv.includes('--if-stale') || isStale()) build();

function build(): void {
  mkdirSync(dist, { recursive: true });
  run('make', ['-s', '-C', 'native', `OUT=${dist}`]);
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
    `--outfile=${path.join(dist, 'strake')}`,
  ]);
  for (const link of links) {
    rmSync(path.join(dist, link), { force: true });
    symlinkSync('strake', path.join(dist, link));
  }
}

function run(command: string, args: readonly string[]): void {
  const result = spawnSync(command, args, { cwd: root, encoding: 'utf8' });
  if (result.status === 0) return;
  process.stderr.write(`${command} ${args.join(' ')} failed:\n${result.stdout ?? ''}${result.stderr ?? ''}${result.error?.message ?? ''}\n`);
  process.exit(1);
}

function isStale(): boolean {
  const built = ['strake', 'strake-init', 'strake-hello'].map((name) => statSync(path.join(dist, name), { throwIfNoEntry: false })?.mtimeMs ?? 0);
  const newest = Math.max(...['src', 'native', 'package-lock.json', 'tools/build.ts'].map((name) => newestBelow(path.join(root, name))));
  return Math.min(...built) < newest;
}

function newestBelow(file: string): number {
  const stat = statSync(file);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(0, ...readdirSync(file).map((name) => newestBelow(path.join(file, name))));
}
