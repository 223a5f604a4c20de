// `npm run fuzz -- [--runs N] [--seed N] [TARGET…]`: every target that many times, two at once. Prints the seed, with which a finding comes again.
import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';
import { nativeBuild } from './build.ts';
import type { Target } from './target.ts';

const targets: Readonly<Record<string, () => Promise<Target>>> = {
  program: async () => (await import('./targets/native.ts')).program,
  monitor: async () => (await import('./targets/native.ts')).monitor,
  config: async () => (await import('./targets/config.ts')).config,
  seccomp: async () => (await import('./targets/seccomp.ts')).seccomp,
  'mount-options': async () => (await import('./targets/mount-options.ts')).mountOptions,
  'id-maps': async () => (await import('./targets/id-maps.ts')).idMaps,
  references: async () => (await import('./targets/references.ts')).references,
  challenges: async () => (await import('./targets/challenges.ts')).challenges,
  ranges: async () => (await import('./targets/ranges.ts')).ranges,
  users: async () => (await import('./targets/users.ts')).users,
  tar: async () => (await import('./targets/tar.ts')).tar,
  pax: async () => (await import('./targets/pax.ts')).pax,
  compression: async () => (await import('./targets/compression.ts')).compression,
  http2: async () => (await import('./targets/http2.ts')).http2,
  ttrpc: async () => (await import('./targets/ttrpc.ts')).ttrpc,
  'shim-answers': async () => (await import('./targets/shim-answers.ts')).shimAnswers,
  spdy: async () => (await import('./targets/streaming.ts')).spdy,
  websocket: async () => (await import('./targets/streaming.ts')).websocket,
  manifests: async () => (await import('./targets/manifests.ts')).manifests,
  pods: async () => (await import('./targets/pods.ts')).pods,
};
const atOnce = 2;
/** A target that does not end has found an endless loop. */
const longestMs = 600_000;

const { values, positionals } = parseArgs({
  options: { runs: { type: 'string', default: '50000' }, seed: { type: 'string' }, only: { type: 'string' } },
  allowPositionals: true,
});
const runs = Number(values.runs);
const seed = Number(values.seed ?? Date.now() % 2 ** 31);

if (values.only === undefined) process.exitCode = await runAll(positionals.length > 0 ? positionals : Object.keys(targets));
else await (await load(values.only))(runs, seed);

async function load(name: string): Promise<Target> {
  const target = Object.hasOwn(targets, name) ? targets[name] : undefined;
  if (target === undefined) throw new Error(`no target ${JSON.stringify(name)}; there are ${Object.keys(targets).join(', ')}`);
  return await target();
}

async function runAll(names: readonly string[]): Promise<number> {
  for (const name of names) await load(name);
  for (const made of ['all', 'libseccomp']) nativeBuild(made);
  const waiting = [...names];
  let failed = 0;
  const work = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) failed += await runOne(name);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return failed > 0 ? 1 : 0;
}

/** In a process of its own, that can be ended. */
async function runOne(name: string): Promise<number> {
  const started = performance.now();
  const child = spawn(process.execPath, [import.meta.filename, '--only', name, '--runs', String(runs), '--seed', String(seed)], { stdio: 'inherit' });
  const timer = setTimeout(() => child.kill('SIGKILL'), longestMs);
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  clearTimeout(timer);
  console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${name}: ${runs} runs in ${((performance.now() - started) / 1000).toFixed(1)} s, seed ${seed}`);
  return code === 0 ? 0 : 1;
}
