// `npm test`: installs with apt what the tests need, builds, checks, then runs every test. Arguments are handed to `bun test` (paths or name filters).
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { ensureHostTools } from './peers/host-tools.ts';

const root = path.join(import.meta.dirname, '..');
const bun = (...args: string[]) => spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' }).status ?? 1;

/** All below test/ but what takes minutes and has a command of its own. */
function tests(): string[] {
  return readdirSync(path.join(root, 'test'))
    .filter((name) => !['peers', 'containerd'].includes(name))
    .map((name) => `test/${name}`);
}

function main(filters: string[]): number {
  ensureHostTools();
  const built = bun('tools/build.ts', '--if-stale');
  if (built !== 0) return built;
  const checked = filters.length > 0 ? 0 : bun('tools/check.ts');
  const tested = bun('test', '--timeout=60000', ...(filters.length > 0 ? filters : ['src', 'native', ...tests()]));
  return checked || tested;
}

process.exitCode = main(process.argv.slice(2));
