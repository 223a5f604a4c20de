import { StrakeError } from '../../base/index.ts';
import type { Container, ContainerExit } from './container.ts';
import type { ContainerContext } from './context.ts';
import { ended } from './lifecycle.ts';

export const waitConditions = ['not-running', 'next-exit', 'removed'] as const;
export type WaitCondition = (typeof waitConditions)[number];

export function parseWaitCondition(text: string): WaitCondition {
  if (text === '') return 'not-running';
  const condition = waitConditions.find((name) => name === text);
  if (condition === undefined) throw new StrakeError('InvalidArgument', `invalid condition: ${JSON.stringify(text)}`);
  return condition;
}

/** Registered when this returns, so that a start that follows is not missed; the promise then tells the exit. */
export function waitForContainer(context: ContainerContext, reference: string, condition: WaitCondition, signal: AbortSignal): Promise<ContainerExit> {
  const container = context.registry.get(reference);
  const { status } = container.lifecycle;
  if (condition === 'not-running' && !container.running && status !== 'restarting') return Promise.resolve({ exitCode: ended(container.lifecycle).exitCode });
  const { promise, resolve, reject } = Promise.withResolvers<ContainerExit>();
  const forget = condition === 'removed' ? container.onRemoved(resolve) : container.onExit(resolve);
  const abort = () => {
    forget();
    reject(signal.reason);
  };
  signal.addEventListener('abort', abort, { once: true });
  void promise.finally(() => signal.removeEventListener('abort', abort)).catch(() => undefined);
  return promise;
}

/** True once the run that goes on now has ended, false after `timeoutMs` (undefined: no limit). Registered when this returns. */
export function stopped(container: Container, timeoutMs: number | undefined): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const forget = container.onStopped(() => resolve(true));
  const timer = timeoutMs === undefined ? undefined : setTimeout(() => resolve(false), timeoutMs);
  void promise.then(() => {
    forget();
    clearTimeout(timer);
  });
  return promise;
}
