// `npm test`: installs with apt what the tests need, builds, checks, then runs every test. Arguments are handed to `bun test` (paths or name filters).
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { ensureHostTools } from './peers/host-tools.ts';

const root = path.join(import.meta.dirname, '..');
const bun = (...args: string[]) => spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' }).status ?? 1;

function main(filters: string[]): number {
  ensureHostTools();
  const built = bun('tools/build.ts', '--if-stale');
  if (built !== 0) return built;
  const checked = filters.length > 0 ? 0 : bun('tools/check.ts');
  const tested = bun('test', '--timeout=60000', ...(filters.length > 0 ? filters : ['src', 'native', 'test']));
  return checked || tested;
}

process.exitCode = main(process.argv.slice(2));
