// Runs a TypeScript file of this repository with the pinned Bun, installing the packages first on a fresh checkout. Plain Node 20.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';

const root = path.join(import.meta.dirname, '..');

export function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
  if (result.error) throw result.error;
  return result.signal ? 1 : (result.status ?? 1);
}

export function ensurePackages() {
  if (existsSync(path.join(root, 'node_modules/.bin/bun'))) return;
  // Not `npm ci`: it refuses a lock file without the packages of other platforms, which not every registry mirror has.
  const status = run('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'], {
    stdio: ['ignore', process.stderr.fd, process.stderr.fd],
  });
  if (status !== 0) process.exit(status);
}

export function bun(args, options) {
  return run(path.join(root, 'node_modules/.bin/bun'), args, options);
}

if (process.argv[1] === import.meta.filename) {
  ensurePackages();
  process.exit(bun(process.argv.slice(2)));
}
