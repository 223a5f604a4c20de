import { spawn } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { bootstrap } from '../../api/containerd/index.ts';
import { StrakeError } from '../../base/index.ts';
import { makeAlias } from './alias.ts';
import type { ShimFlags } from './flags.ts';
import type { ShimProduct } from './main.ts';
import { ShimPlace } from './place.ts';

const taskVersion = 3;
const startTimeoutMs = 30_000;
const readyDescriptor = 3;

/**
 * Finds the shim that serves the namespace, or starts it, and has it wait for the container. What containerd is told: a BootstrapResult (2.3 and later, which send
 * parameters on stdin), JSON with the version (1.7 to 2.2), or the address alone (before).
 */
export async function startShim(flags: ShimFlags, product: ShimProduct, input: Uint8Array): Promise<string | Uint8Array> {
  const place = ShimPlace.of(flags);
  place.make();
  await reserveShim(place, flags, product);
  makeAlias(flags, place.socket);
  const address = `unix://${place.socket}`;
  if (hasBootstrapParams(input, flags))
    return toBinary(bootstrap.BootstrapResultSchema, create(bootstrap.BootstrapResultSchema, { version: taskVersion, address, protocol: 'ttrpc' }));
  const newest = Number(process.env['MAX_SHIM_VERSION'] ?? '');
  return newest >= taskVersion ? JSON.stringify({ version: taskVersion, address, protocol: 'ttrpc' }) : address;
}

async function reserveShim(place: ShimPlace, flags: ShimFlags, product: ShimProduct): Promise<void> {
  const deadline = performance.now() + startTimeoutMs;
  while (performance.now() < deadline) {
    using calls = await place.connect();
    if (calls !== undefined && (await calls.reserve(flags.id))) return;
    // Another start may be quicker: then ours ends at once, and that one's shim is there.
    await launchShim(place, flags, product, deadline);
  }
  throw tooLate(place);
}

function tooLate({ directory }: ShimPlace): StrakeError {
  return new StrakeError('DeadlineExceeded', `no shim came up in ${directory} within ${startTimeoutMs} ms`, { fields: { layer: 'shim' } });
}

/** Resolves when the shim listens, or has ended because another one has the place. One that does neither until the deadline, of performance.now(), is killed. */
async function launchShim(place: ShimPlace, { namespace, address, id }: ShimFlags, { self }: ShimProduct, deadline: number): Promise<void> {
  const [program = '', ...words] = self;
  const log = openLog();
  try {
    const child = spawn(program, [...words, '-namespace', namespace, '-address', address, '-id', id, '-directory', place.directory, 'serve'], {
      // The bundle goes with its container, the shim serves others.
      cwd: '/',
      detached: true,
      stdio: ['ignore', 'ignore', log ?? 'ignore', 'pipe'],
    });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    child.once('error', reject);
    const silent = setTimeout(() => {
      reject(tooLate(place));
      child.kill('SIGKILL');
    }, deadline - performance.now());
    child.once('exit', (code, signal) =>
      code === 0 ? resolve() : reject(new StrakeError('Unavailable', `the shim ended: ${signal ?? `exit status ${code}`}`, { fields: { layer: 'shim' } })),
    );
    const ready = child.stdio[readyDescriptor];
    ready?.once('data', () => resolve());
    await promise.finally(() => clearTimeout(silent));
    child.unref();
    if (ready !== undefined && ready !== null && 'destroy' in ready) ready.destroy();
  } finally {
    if (log !== undefined) closeSync(log);
  }
}

/** containerd reads a FIFO in the bundle, our working directory. */
function openLog(): number | undefined {
  try {
    return openSync('log', constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
}

/** Before 2.3 stdin holds the options, which are none of these. */
function hasBootstrapParams(input: Uint8Array, { id, namespace }: ShimFlags): boolean {
  if (input.length === 0) return false;
  try {
    const params = fromBinary(bootstrap.BootstrapParamsSchema, input);
    return params.instanceId === id && params.namespace === namespace;
  } catch {
    return false;
  }
}
