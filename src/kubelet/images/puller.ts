import { errorMessage, StrakeError, untilAborted } from '../../base/index.ts';
import type { SandboxConfig } from '../config/sandbox.ts';
import { type Cri, callTimeoutMs } from '../cri.ts';
import type { V1Container } from '../kubernetes.ts';
import type { Objects } from '../pods/objects.ts';
import type { Pod } from '../pods/pod.ts';
import { Backoff, type BackoffTimes } from '../worker/backoff.ts';
import { Waiting } from '../worker/waiting.ts';
import { credentialsFor } from './credentials.ts';

export interface PulledImage {
  /** What the runtime knows it by. */
  readonly ref: string;
  /** The user that the image names: a number, or a name; undefined: neither. */
  readonly uid: bigint | undefined;
  readonly username: string;
}

/** As Kubernetes' own runtime: nothing for so long is a pull that hangs. */
const pullTimeoutMs = 3_600_000;

/** Sees to it that images are there when containers need them; one pull at a time for each name. */
export class Puller {
  readonly #images: Cri['images'];
  readonly #backoff: Backoff;
  readonly #failures = new Map<string, { readonly atMs: number; readonly message: string }>();
  readonly #pulls = new Map<string, Promise<void>>();

  constructor(images: Cri['images'], times: BackoffTimes) {
    this.#images = images;
    this.#backoff = new Backoff(times);
  }

  /**
   * Answers an image by the policy that a container or a volume has for it, and the pod's credentials.
   * @throws Waiting with the reasons that Kubernetes has for it
   */
  async ensure(
    pod: Pod,
    { image = '', imagePullPolicy }: Pick<V1Container, 'image' | 'imagePullPolicy'>,
    objects: Objects,
    sandboxConfig: SandboxConfig | undefined,
    signal: AbortSignal,
  ): Promise<PulledImage> {
    const present = imagePullPolicy === 'Always' ? undefined : await this.#find(image, signal);
    if (present !== undefined) return present;
    if (imagePullPolicy === 'Never') throw new Waiting('ErrImageNeverPull', `Container image "${image}" is not present with pull policy of Never`);
    const key = `${pod.uid} ${image}`;
    const failure = this.#failures.get(key);
    const remainingMs = failure === undefined ? 0 : this.#backoff.remainingMs(key, failure.atMs, performance.now());
    if (failure !== undefined && remainingMs > 0) throw new Waiting('ImagePullBackOff', `Back-off pulling image "${image}": ${failure.message}`, remainingMs);
    try {
      await this.#pullOnce(pod, image, objects, sandboxConfig, signal);
    } catch (error) {
      signal.throwIfAborted();
      const now = performance.now();
      this.#backoff.next(key, now, now);
      this.#failures.set(key, { atMs: now, message: errorMessage(error) });
      throw new Waiting('ErrImagePull', errorMessage(error), this.#backoff.pauseMs(key), { cause: error });
    }
    this.#failures.delete(key);
    const pulled = await this.#find(image, signal);
    if (pulled === undefined) throw new Waiting('ErrImagePull', `image "${image}" was pulled and is not there`, this.#backoff.pauseMs(key));
    return pulled;
  }

  async #find(image: string, signal: AbortSignal): Promise<PulledImage | undefined> {
    const { image: found } = await this.#images.imageStatus({ image: { image } }, { signal, timeoutMs: callTimeoutMs });
    return found === undefined ? undefined : { ref: found.id, uid: found.uid?.value, username: found.username };
  }

  /** Several pods that want the same with the same rights share one pull. */
  async #pullOnce(pod: Pod, image: string, objects: Objects, sandboxConfig: SandboxConfig | undefined, signal: AbortSignal): Promise<void> {
    const secrets = (pod.spec.imagePullSecrets ?? []).flatMap(({ name = '' }) => objects.secret(pod.namespace, name) ?? []);
    const credentials = credentialsFor(image, secrets);
    const key = JSON.stringify([image, credentials]);
    const pull = this.#pulls.get(key) ?? this.#pull(image, credentials, sandboxConfig).finally(() => this.#pulls.delete(key));
    this.#pulls.set(key, pull);
    // Who no longer wants it does not take it from the others.
    await untilAborted(pull, signal);
  }

  async #pull(image: string, credentials: ReturnType<typeof credentialsFor>, sandboxConfig: SandboxConfig | undefined): Promise<void> {
    let failure: unknown;
    for (const auth of credentials.length === 0 ? [undefined] : credentials) {
      try {
        const config = sandboxConfig === undefined ? {} : { sandboxConfig };
        await this.#images.pullImage({ image: { image }, ...(auth === undefined ? {} : { auth }), ...config }, { timeoutMs: pullTimeoutMs });
        return;
      } catch (error) {
        failure = error;
      }
    }
    throw failure ?? new StrakeError('Internal', `image ${image} was not pulled`);
  }
}
