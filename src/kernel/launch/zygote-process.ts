import { spawn } from 'node:child_process';
import type { Writable } from 'node:stream';
import { StrakeError } from '../../base/index.ts';
import { opsHash } from '../program/index.ts';
import { within } from './deadline.ts';
import type { ZygoteOptions } from './zygote.ts';

/** A running `strake-init zygote`. It ends when its stdin does: also when this process dies in any way. */
export interface Zygote {
  readonly stdin: Writable;
  readonly ended: Promise<void>;
}

const startTimeoutMs = 5_000;
const remedy = 'build it with `npm run build`; it stands beside the strake executable';

/** Starts the zygote and waits until it listens. Neither it nor its pipes keep this process alive. */
export async function startZygote({ initPath, socketPath }: ZygoteOptions): Promise<Zygote> {
  const child = spawn(initPath, ['zygote', socketPath], { stdio: ['pipe', 'pipe', 'inherit'], cwd: '/', env: {}, detached: true });
  const ended = Promise.withResolvers<void>();
  const ready = Promise.withResolvers<string>();
  const fail = (why: string) => {
    ready.reject(new StrakeError('Unavailable', `${initPath} did not start: ${why}`, { fields: { layer: 'kernel', remedy } }));
    ended.resolve();
  };
  child.once('error', (error) => fail(error.message));
  child.once('exit', (code, signal) => fail(`it ended with ${signal ?? `status ${code}`}`));
  child.stdin.on('error', () => undefined);
  child.stdout.once('data', (line: Buffer) => ready.resolve(line.toString().trim()));
  try {
    const hash = await within(ready.promise, { what: `the first word of ${initPath}`, timeoutMs: startTimeoutMs });
    if (hash !== opsHash)
      throw new StrakeError('FailedPrecondition', `${initPath} was built from another operation table (${hash}, here it is ${opsHash})`, {
        fields: { layer: 'kernel', remedy },
      });
  } catch (error) {
    child.stdin.end();
    throw error;
  }
  child.stdout.destroy();
  child.unref();
  (child.stdin as { unref?: () => void }).unref?.();
  return { stdin: child.stdin, ended: ended.promise };
}
