// The static checks: generated files, types, lint and format, layers, dead code. Prints one line a check; fails when one does.
import { spawnSync } from 'node:child_process';
import path from 'node:path';

const root = path.join(import.meta.dirname, '..');
const bin = (name: string) => path.join(root, 'node_modules/.bin', name);
const checks: readonly (readonly [string, string, readonly string[]])[] = [
  ['operations', process.execPath, ['tools/gen-ops.ts', '--check']],
  ['messages', process.execPath, ['tools/gen-proto.ts', '--check']],
  ['manifests', process.execPath, ['tools/gen-kubernetes.ts', '--check']],
  ['types', bin('tsc'), ['-p', '.']],
  ['lint and format', bin('biome'), ['check', '--max-diagnostics=50', '--error-on-warnings']],
  ['layers', process.execPath, ['tools/layers.ts']],
  ['dead code', bin('knip'), []],
];
let failed = 0;
for (const [name, command, args] of checks) {
  const result = spawnSync(command, args, { cwd: root, encoding: 'utf8' });
  console.log(`${result.status === 0 ? 'ok    ' : 'FAILED'} ${name}`);
  if (result.status === 0) continue;
  failed += 1;
  console.log(`${result.stdout}${result.stderr}${result.error?.message ?? ''}`);
}
process.exitCode = failed > 0 ? 1 : 0;
