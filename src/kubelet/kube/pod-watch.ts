import type { Logger } from '../../base/index.ts';
import type { Cri } from '../cri.ts';
import { type Pod, podName } from '../pods/pod.ts';
import { podStatus } from '../status/pod-status.ts';
import { followEvents } from '../worker/events.ts';
import { Listeners } from '../worker/listeners.ts';
import { Observer } from '../worker/observe.ts';
import type { AwaitedPod } from './await-pods.ts';

/** Looks at pods that somebody else runs, a kubelet, as far as the runtime can tell. */
export class PodWatch implements AsyncDisposable {
  readonly #observer: Observer;
  readonly #stop = new AbortController();
  readonly #listeners = new Listeners();
  readonly #following: Promise<void>;

  constructor({ runtime }: Cri, log: Logger) {
    this.#observer = new Observer(runtime);
    this.#following = followEvents({ runtime, log, signal: this.#stop.signal, onChange: () => this.#listeners.call() });
  }

  /** Calls back whenever something has happened to any pod. */
  onChange(listener: () => void): Disposable {
    return this.#listeners.add(listener);
  }

  async look(pods: readonly Pod[]): Promise<readonly AwaitedPod[]> {
    return await Promise.all(
      pods.map(async (pod): Promise<AwaitedPod> => {
        const observed = await this.#observer.observe(pod.uid, this.#stop.signal);
        if (observed.sandboxes.length === 0) return { name: podName(pod), status: undefined };
        const facts = {
          pod,
          observed,
          waiting: new Map(),
          problem: undefined,
          reason: undefined,
          startedAtMs: undefined,
          isReady: () => true,
          isStarted: () => true,
          hostIPs: [],
          runtimeName: '',
        };
        return { name: podName(pod), status: podStatus(facts) };
      }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#following;
  }
}
