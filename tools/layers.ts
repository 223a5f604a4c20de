// Fails on an import between layers that the table of docs/ARCHITECTURE.md does not allow, or that passes by a layer's index.ts.
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';

const root = path.join(import.meta.dirname, '..');

/** layer → layers that it may import; `*`: everything. */
function readTable(): Map<string, ReadonlySet<string>> {
  const table = new Map<string, ReadonlySet<string>>();
  for (const line of readFileSync(path.join(root, 'docs/ARCHITECTURE.md'), 'utf8').split('\n')) {
    const row = /^\| `src\/([\w-]+)` \|[^|]*\| ([^|]*) \|$/.exec(line);
    if (!row) continue;
    const allowed = (row[2] ?? '').replace(/\([^)]*\)/g, '').trim();
    const names =
      allowed === 'everything'
        ? ['*']
        : allowed
            .split(',')
            .map((name) => name.trim())
            .filter((name) => /^[\w-]+$/.test(name));
    table.set(row[1] ?? '', new Set([...names, 'base']));
  }
  return table;
}

const layerOf = (file: string) => path.relative(path.join(root, 'src'), file).split(path.sep)[0] ?? '';

const table = readTable();
const problems: string[] = [];
for (const file of globSync('src/**/*.ts', { cwd: root })) {
  const absolute = path.join(root, file);
  const layer = layerOf(absolute);
  if (layer === 'index.ts') continue;
  const allowed = table.get(layer);
  if (!allowed) {
    problems.push(`${file}: src/${layer} is not in the table of docs/ARCHITECTURE.md`);
    continue;
  }
  const isTest = /\.test\.ts$|\/(conformance|fixtures|fakes)[^/]*\.ts$/.test(file);
  for (const [, specifier = ''] of readFileSync(absolute, 'utf8').matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)) {
    const target = path.resolve(path.dirname(absolute), specifier);
    const other = layerOf(target);
    if (other === layer || !target.startsWith(path.join(root, 'src') + path.sep) || isTest) continue;
    if (!allowed.has('*') && !allowed.has(other)) problems.push(`${file}: ${layer} may not import ${other} (docs/ARCHITECTURE.md)`);
    const door = path.relative(path.join(root, 'src', other), target);
    if (!/^(\w[\w-]*\/)?index\.ts$/.test(door) && layer !== 'cmd') problems.push(`${file}: imports ${other}/${door}, not an index.ts`);
  }
}
for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;
