import path from 'node:path';
import { StrakeError } from '../../base/index.ts';
import { type Bundle, readBundle } from './bundle.ts';
import type { RuntimeContext } from './context.ts';
import { type CreateRequest, launchContainer } from './create.ts';

export interface RunRequest extends CreateRequest {
  readonly detach: boolean;
  readonly keep: boolean;
  /** where to write the seccomp profile of what the container calls */
  readonly learnFile?: string | undefined;
}

/** Creates, starts and, unless detached, waits and removes. 0: where it is waited for, its exit status becomes ours by the hand-over. */
export async function runContainer(context: RuntimeContext, request: RunRequest): Promise<number> {
  const bundle = readBundle(request.bundle, request.configFile);
  if (request.learnFile !== undefined) return await runAndLearn(context, request, bundle, request.learnFile);
  return await runBundle(context, request, bundle);
}

async function runBundle(context: RuntimeContext, request: RunRequest, bundle: Bundle): Promise<number> {
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
  const mode = { start: { kind: 'connection' }, detach: false, keep: request.keep, stdio: foregroundTerminal(context, dir) } as const;
  const operations = launchContainer(context, request, bundle, mode);
  return carryTerminal(context, dir, operations);
}

/** Stays until the container has ended, and writes down what it called. */
async function runAndLearn(context: RuntimeContext, request: RunRequest, bundle: Bundle, file: string): Promise<number> {
  if (request.detach) throw new StrakeError('InvalidArgument', '--learn cannot be used with --detach: the profile is written when the container has ended');
  const { abandonLearning, finishLearning, planLearning } = await import('./learn.ts');
  const learn = planLearning(file);
  try {
    const code = await runBundle(context, { ...request, learn }, bundle);
    context.launcher.awaitExit();
    finishLearning(context, file, learn, bundle.spec);
    return code;
  } catch (error) {
    abandonLearning(learn);
    throw error;
  }
}
