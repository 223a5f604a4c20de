// Makes src/api/**/*_pb.ts from proto/, with buf as the compiler and protobuf-es as the generator.
// `--check` writes nothing and fails when a generated file differs, is missing, or is left over.
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const root = path.join(import.meta.dirname, '..');
const target = path.join(root, 'src/api');
const bin = (name: string) => path.join(root, 'node_modules/.bin', name);

const work = mkdtempSync(path.join(os.tmpdir(), 'strake-gen-'));
try {
  generate(work);
  const made = listGenerated(work);
  const leftOver = listGenerated(target).filter((file) => !made.includes(file));
  if (process.argv.includes('--check')) compare(made, leftOver);
  else {
    for (const file of leftOver) rmSync(path.join(target, file));
    for (const file of made) {
      mkdirSync(path.dirname(path.join(target, file)), { recursive: true });
      if (differs(file)) writeFileSync(path.join(target, file), readFileSync(path.join(work, file)));
    }
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}

function generate(out: string): void {
  const template = {
    version: 'v2',
    plugins: [{ local: bin('protoc-gen-es'), out, opt: ['target=ts', 'import_extension=ts', 'erasable_syntax=true', 'elide_plugin_version=true'] }],
  };
  const env = { ...process.env, BUF_CACHE_DIR: path.join(out, '.cache') };
  const result = spawnSync(bin('buf'), ['generate', path.join(root, 'proto'), '--template', JSON.stringify(template)], { cwd: root, env, encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`buf generate failed:\n${result.stdout ?? ''}${result.stderr ?? ''}${result.error?.message ?? ''}`);
}

function listGenerated(directory: string): string[] {
  return globSync('**/*_pb.ts', { cwd: directory }).sort();
}

function differs(file: string): boolean {
  const committed = path.join(target, file);
  return !existsSync(committed) || !readFileSync(committed).equals(readFileSync(path.join(work, file)));
}

function compare(made: readonly string[], leftOver: readonly string[]): void {
  for (const file of [...made.filter(differs), ...leftOver]) {
    console.error(`src/api/${file} does not match proto/: run \`npm run gen\``);
    process.exitCode = 1;
  }
}
