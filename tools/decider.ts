import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { BunPlugin } from 'bun';
import { capture } from './peers/shell.ts';
import { quickjsSource } from './quickjs.ts';

const root = path.join(import.meta.dirname, '..');

/** Of the layers below, what the daemon alone uses: it needs more of Node than src/quickjs has. */
const daemonsAlone = /src\/(kernel\/launch\/(direct|zygote-process|frame-socket)|base\/discard)\.ts$/;
/** In their place; must not come into the bundle. */
const absent = 'strake-absent';

/** `node:fs/promises` is src/quickjs/fs-promises.ts, and so on. */
const nodeModules: BunPlugin = {
  name: 'node: on QuickJS',
  setup(build) {
    build.onResolve({ filter: /^node:path$/ }, () => ({ path: path.join(root, 'node_modules/path-browserify/index.js') }));
    build.onResolve({ filter: /^node:/ }, ({ path: name }) => ({
      path: path.join(root, 'src/quickjs', `${name.slice('node:'.length).replaceAll(/[/_]/g, '-')}.ts`),
    }));
    build.onLoad({ filter: daemonsAlone }, ({ path: file }) => ({ loader: 'js', contents: `module.exports = ${JSON.stringify({ [absent]: file })}` }));
    build.onResolve({ filter: /^strake:system$/ }, ({ path: name }) => ({ path: name, external: true }));
  },
};

export interface DeciderOptions {
  /** the module that it runs */
  readonly main: string;
  /** where the modules, their byte code, and nothing else go */
  readonly work: string;
  /** the directory of strake-decider */
  readonly out: string;
  readonly define: Readonly<Record<string, string>>;
}

/** What `strake-runc` decides with: TypeScript, as byte code for QuickJS, and QuickJS (docs/decisions/0007-quickjs.md). */
export async function buildDecider({ main, work, out, define }: DeciderOptions): Promise<void> {
  const objects = path.join(root, 'native/build');
  const archive = path.join(work, 'archive');
  const make = ['make', '-s', '-j2', '-C', path.join(root, 'native/decider'), `QUICKJS=${await quickjsSource(objects)}`, `ARCHIVE=${archive}`, `OUT=${out}`];
  capture([...make, 'compiler']);
  const modules = await bundle(main, work, define);
  capture([path.join(objects, 'decider-compiler'), archive, ...modules]);
  capture([...make, 'decider']);
}

/** One module for each way to be loaded; the first ones are `globals.js` and `main.js`. Their files. */
async function bundle(main: string, work: string, define: Readonly<Record<string, string>>): Promise<string[]> {
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  const result = await Bun.build({
    entrypoints: [path.join(root, 'src/quickjs/globals.ts'), main],
    outdir: work,
    target: 'browser',
    format: 'esm',
    splitting: true,
    minify: { syntax: true, whitespace: true },
    naming: { entry: '[name].js', chunk: '[name]-[hash].js' },
    define,
    plugins: [nodeModules],
  });
  if (!result.success) throw new AggregateError(result.logs, 'the decider cannot be bundled');
  renameSync(path.join(work, `${path.parse(main).name}.js`), path.join(work, 'main.js'));
  const files = readdirSync(work).map((name) => path.join(work, name));
  // Without the places of functions, which native/decider/compile.c leaves out, a module does not know where it is: not for import(), and not for the
  // bundler's list of what a page may load ahead.
  for (const file of files)
    writeFileSync(
      file,
      readFileSync(file, 'utf8')
        .replaceAll(/\bimport\((?="\.\/[^"]+"\))/g, 'importModule(')
        .replaceAll('import.meta.url', '""'),
    );
  const lacking = files.find((file) => readFileSync(file, 'utf8').includes(absent));
  if (lacking !== undefined) throw new Error(`${lacking}: a module that the decider lacks, see "${absent}" in it`);
  return files;
}
