import path from 'node:path';
import { readBundle } from './bundle.ts';
import type { RuntimeContext } from './context.ts';
import { type CreateRequest, launchContainer } from './create.ts';

/** Creates, starts and, unless detached, waits and removes. 0: where it is waited for, its exit status becomes ours by the hand-over. */
export async function runContainer(context: RuntimeContext, request: CreateRequest & { readonly detach: boolean; readonly keep: boolean }): Promise<number> {
  const bundle = readBundle(request.bundle, request.configFile);
  const { store, launcher } = context;
  const onTerminal = bundle.spec.process?.terminal && !request.detach;
  if (!onTerminal) {
    launchContainer(context, request, bundle, { start: { kind: 'at-once' }, detach: request.detach, keep: request.keep });
    if (!request.detach) launcher.handOver();
    return 0;
  }
  const { carryTerminal, foregroundTerminal } = await import('./foreground-terminal.ts');
  // The directory of the monitor is the container's own, so that it goes with it.
  const dir = path.join(store.directory(request.id), 'console');
  const mode = { start: { kind: 'connection' }, detach: false, keep: request.keep, stdio: foregroundTerminal(dir) } as const;
  const operations = launchContainer(context, request, bundle, mode);
  launcher.handOver();
  return await carryTerminal(dir, operations);
}
