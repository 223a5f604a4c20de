import path from 'node:path';
import type { ExitRecord } from '../../kernel/index.ts';
import { type Bundle, readBundle } from './bundle.ts';
import type { RuntimeContext } from './context.ts';
import { type CreateRequest, launchContainer } from './create.ts';

/** Creates, starts and, unless detached, waits and removes. The exit code of the process, 0 when detached. */
export async function runContainer(context: RuntimeContext, request: CreateRequest & { readonly detach: boolean; readonly keep: boolean }): Promise<number> {
  const bundle = readBundle(request.bundle);
  if (bundle.spec.process?.terminal && !request.detach) return await runOnTerminal(context, request, bundle);
  const { container, exited } = await launchContainer(context, request, bundle, { start: { kind: 'at-once' }, detach: request.detach });
  if (request.detach) return 0;
  const code = await forwardSignals(container.init?.pid ?? 0, exited);
  if (!request.keep) context.store.remove(request.id);
  return code;
}

/** The directory of the monitor is the container's own, so that it goes with it. */
async function runOnTerminal(context: RuntimeContext, request: CreateRequest & { readonly keep: boolean }, bundle: Bundle): Promise<number> {
  const { carryTerminal, foregroundTerminal } = await import('./foreground-terminal.ts');
  const dir = path.join(context.store.directory(request.id), 'console');
  const { operations } = await launchContainer(context, request, bundle, { start: { kind: 'connection' }, detach: false, stdio: foregroundTerminal(dir) });
  const code = await carryTerminal(dir, operations);
  if (!request.keep) context.store.remove(request.id);
  return code;
}

/** Signals that are for the container when its caller waits in the foreground (signal(7)); SIGCHLD, SIGURG, SIGPIPE and the fatal ones are not. */
const forwarded: readonly NodeJS.Signals[] = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGUSR1', 'SIGUSR2', 'SIGCONT', 'SIGTSTP', 'SIGALRM', 'SIGWINCH'];

export async function forwardSignals(pid: number, exited: Promise<Pick<ExitRecord, 'code'>>): Promise<number> {
  const forward = (signal: NodeJS.Signals) => {
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended; its exit is on the way.
    }
  };
  for (const signal of forwarded) process.on(signal, forward);
  try {
    return (await exited).code;
  } finally {
    for (const signal of forwarded) process.off(signal, forward);
  }
}
