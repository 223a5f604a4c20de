// `npm start -- ARGS`: installs and builds what is missing, then runs `strake ARGS`; without arguments the built-in image.
import path from 'node:path';
import { bun, ensurePackages, run } from './bun.mjs';

const root = path.join(import.meta.dirname, '..');
ensurePackages();
const built = bun(['tools/build.ts', '--if-stale'], { stdio: ['ignore', process.stderr.fd, process.stderr.fd] });
if (built !== 0) process.exit(built);
const args = process.argv.slice(2);
process.exit(run(path.join(root, 'dist/strake'), args.length > 0 ? args : ['run', '--rm', 'hello'], { cwd: process.env.INIT_CWD ?? process.cwd() }));
