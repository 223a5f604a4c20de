import type { V1PodStatus } from '../kubernetes.ts';

/** A pod by its name and how it is; undefined: nobody has begun with it. */
export interface AwaitedPod {
  readonly name: string;
  readonly status: V1PodStatus | undefined;
}

export interface AwaitOptions {
  readonly look: () => Promise<readonly AwaitedPod[]>;
  /** Calls back when it is worth another look. */
  readonly onChange: (listener: () => void) => Disposable;
  readonly done: (pods: readonly AwaitedPod[]) => boolean;
  readonly timeoutMs: number;
}

/** Runtimes do not tell of everything: a sandbox that goes. */
const lookAgainMs = 1000;

/** Looks at pods until it is done, or the time is over; answers what it saw last. */
export async function awaitPods({ look, onChange, done, timeoutMs }: AwaitOptions): Promise<readonly AwaitedPod[]> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const { promise, resolve } = Promise.withResolvers<void>();
    using _changes = onChange(resolve);
    const seen = await look();
    if (done(seen) || performance.now() >= deadline) return seen;
    const timer = setTimeout(resolve, Math.min(lookAgainMs, deadline - performance.now()));
    await promise;
    clearTimeout(timer);
  }
}

/** Whether all that can be brought up of a pod is up: each container runs, or has ended and stays so. */
export function isUp({ status }: AwaitedPod): boolean {
  if (status === undefined) return false;
  if (status.phase === 'Succeeded' || status.phase === 'Failed') return true;
  return status.phase === 'Running' && (status.containerStatuses ?? []).every(({ state }) => state?.waiting === undefined);
}

/** One line about a pod, and one about each container that keeps it waiting. */
export function describeAwaited({ name, status }: AwaitedPod): string {
  const address = status?.podIP === undefined ? '' : ` ${status.podIP}`;
  const waiting = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])].flatMap(({ name: container, state }) =>
    state?.waiting === undefined ? [] : [`  ${container}: ${[state.waiting.reason, state.waiting.message].filter(Boolean).join(': ')}`],
  );
  return [`pod/${name} ${status?.phase ?? 'Pending'}${address}`, ...waiting].join('\n');
}
