import { closeSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { StrakeError } from '../base/index.ts';
import { type Endpoint, EngineClient, formatEndpoint } from '../docker-client/index.ts';
import { otherDaemonStatus } from './daemon-status.ts';

const startTimeoutMs = 15_000;
const askEveryMs = 20;

/** Starts `strake daemon` in the background unless one answers at the default socket. Its log goes beside the socket. */
export async function ensureEngine(endpoint: Endpoint, env: Readonly<Record<string, string | undefined>>): Promise<void> {
  if (endpoint.kind !== 'unix') return;
  if (statSync(endpoint.path, { throwIfNoEntry: false }) && (await answers(endpoint))) return;
  const directory = path.dirname(endpoint.path);
  mkdirSync(directory, { recursive: true, mode: 0o711 });
  const logFile = path.join(directory, 'daemon.log');
  const log = openSync(logFile, 'a', 0o600);
  try {
    if ((await startDaemon(log, logFile, env)) === 'another') await otherEngine(endpoint);
  } finally {
    closeSync(log);
  }
}

async function answers(endpoint: Endpoint): Promise<boolean> {
  try {
    await new EngineClient(endpoint).call('HEAD', '/_ping');
    return true;
  } catch {
    return false;
  }
}

/** Another command has started one at the same moment: its readiness is told to that command, so here it is asked for. */
async function otherEngine(endpoint: Endpoint): Promise<void> {
  for (const deadline = performance.now() + startTimeoutMs; performance.now() < deadline; await delay(askEveryMs)) if (await answers(endpoint)) return;
  throw new StrakeError('Unavailable', `another engine has the data root, and does not answer at ${formatEndpoint(endpoint)}`, { fields: { layer: 'cli' } });
}

/** The daemon writes one line to descriptor 3 once it listens. */
async function startDaemon(log: number, logFile: string, env: Readonly<Record<string, string | undefined>>): Promise<'ready' | 'another'> {
  const { spawn } = await import('node:child_process');
  const daemon = spawn(process.execPath, ['daemon', '--ready-fd', '3'], { detached: true, stdio: ['ignore', log, log, 'pipe'], cwd: '/', env });
  const { promise, resolve } = Promise.withResolvers<'ready' | 'another' | { readonly failure: string }>();
  const ready = daemon.stdio[3];
  ready?.once('data', () => resolve('ready'));
  daemon.once('error', (error) => resolve({ failure: error.message }));
  daemon.once('exit', (code, signal) => resolve(code === otherDaemonStatus ? 'another' : { failure: `it ended with ${signal ?? `status ${code}`}` }));
  const timer = setTimeout(() => resolve({ failure: `it did not listen within ${startTimeoutMs / 1000} s` }), startTimeoutMs);
  const outcome = await promise;
  clearTimeout(timer);
  ready?.destroy();
  daemon.unref();
  if (typeof outcome === 'string') return outcome;
  throw new StrakeError('Unavailable', `the engine did not start: ${outcome.failure}${lastLine(logFile)}`, {
    fields: { layer: 'cli', remedy: `see ${logFile}, or run \`strake daemon\` in a terminal` },
  });
}

function lastLine(logFile: string): string {
  const line = readFileSync(logFile, 'utf8').trimEnd().split('\n').at(-1);
  return line ? `: ${line}` : '';
}
