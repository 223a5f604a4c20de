import { setTimeout as delay } from 'node:timers/promises';
import { criImages, criLinux, criRuntime } from '../../src/api/cri/index.ts';
import { errorMessage } from '../../src/base/index.ts';
import { type Client, connectGrpc } from '../../src/rpc/grpc/index.ts';
import { busyboxImage } from '../cri/images.ts';

const containersOfPod = ['app', 'side'] as const;
/** As many as a kubelet has on their way. */
const concurrency = 10;
const callTimeoutMs = 60_000;
/** Of a probe, in seconds: the kubelet's default is one, on a machine of its own. */
const probeTimeoutSeconds = 10n;
const probeEveryMs = 1_000;

interface Pod {
  readonly sandbox: string;
  readonly containers: readonly string[];
}

export interface FailedProbe {
  /** performance.now() at its beginning and its end */
  readonly begun: number;
  readonly ended: number;
  readonly why: string;
}

/** Pods with two containers each, over a CRI, as a kubelet has them. */
export class Fleet implements Disposable {
  readonly #runtime: Client<typeof criRuntime.RuntimeService>;
  readonly #images: Client<typeof criImages.ImageService>;
  readonly #name: string;
  readonly #logDirectory: string;
  readonly #pods: Pod[] = [];
  readonly #close: () => void;

  /** `socket` as this process sees it, `logDirectory` as the CRI does. */
  constructor({ name, socket, logDirectory }: { readonly name: string; readonly socket: string; readonly logDirectory: string }) {
    const connection = connectGrpc({ kind: 'unix', path: socket });
    this.#runtime = connection.client(criRuntime.RuntimeService);
    this.#images = connection.client(criImages.ImageService);
    this.#name = name;
    this.#logDirectory = logDirectory;
    this.#close = () => connection.close();
  }

  async pull(): Promise<void> {
    await this.#images.pullImage({ image: { image: busyboxImage } }, { timeoutMs: callTimeoutMs });
  }

  /** Resolves with what each pod took from its sandbox to its second running container, in ms. */
  async start(count: number): Promise<readonly number[]> {
    const times: number[] = [];
    await inParallel(count, async (index) => {
      const begun = performance.now();
      this.#pods.push(await this.#startPod(`pod-${index}`));
      times.push(performance.now() - begun);
    });
    return times;
  }

  /** Each container is asked once a second, until `signal`. Resolves with how many probes there were, and those that failed. */
  async probe(signal: AbortSignal): Promise<{ readonly count: number; readonly failed: readonly FailedProbe[] }> {
    const failed: FailedProbe[] = [];
    let count = 0;
    const containers = this.#pods.flatMap((pod) => pod.containers);
    const probeOne = async (containerId: string, offsetMs: number): Promise<void> => {
      await delay(offsetMs);
      while (!signal.aborted) {
        const begun = performance.now();
        const why = await this.#execTrue(containerId);
        const ended = performance.now();
        count += 1;
        if (why !== undefined) failed.push({ begun, ended, why });
        await delay(Math.max(0, probeEveryMs - (ended - begun)));
      }
    };
    await Promise.all(containers.map(async (id, index) => await probeOne(id, (index / containers.length) * probeEveryMs)));
    return { count, failed };
  }

  /** What a kill must not change: a line a container. */
  async state(): Promise<string> {
    const { containers } = await this.#runtime.listContainers({}, { timeoutMs: callTimeoutMs });
    const lines = containers.map(async ({ id }) => {
      const { status } = await this.#runtime.containerStatus({ containerId: id }, { timeoutMs: callTimeoutMs });
      return `${id} ${status?.state} ${status?.startedAt}`;
    });
    return (await Promise.all(lines)).toSorted().join('\n');
  }

  async remove(): Promise<void> {
    const pods = this.#pods.splice(0);
    await inParallel(pods.length, async (index) => {
      const podSandboxId = (pods[index] as Pod).sandbox;
      await this.#runtime.stopPodSandbox({ podSandboxId }, { timeoutMs: callTimeoutMs });
      await this.#runtime.removePodSandbox({ podSandboxId }, { timeoutMs: callTimeoutMs });
    });
  }

  [Symbol.dispose](): void {
    this.#close();
  }

  async #startPod(name: string): Promise<Pod> {
    const { CONTAINER, POD } = criLinux.NamespaceMode;
    const namespaceOptions = { network: POD, pid: CONTAINER, ipc: POD };
    const sandboxConfig = {
      metadata: { name, uid: `${this.#name}-${name}`, namespace: 'load', attempt: 0 },
      logDirectory: `${this.#logDirectory}/${name}`,
      linux: { cgroupParent: `/load-${this.#name}`, securityContext: { namespaceOptions } },
    };
    const runtime = this.#runtime;
    const { podSandboxId } = await runtime.runPodSandbox({ config: sandboxConfig }, { timeoutMs: callTimeoutMs });
    const containers: string[] = [];
    for (const container of containersOfPod) {
      const config = {
        metadata: { name: container, attempt: 0 },
        image: { image: busyboxImage },
        command: ['sleep', '100000'],
        logPath: `${container}.log`,
        linux: { resources: { cpuShares: 10n, memoryLimitInBytes: 64n << 20n }, securityContext: { namespaceOptions } },
      };
      const { containerId } = await runtime.createContainer({ podSandboxId, config, sandboxConfig }, { timeoutMs: callTimeoutMs });
      await runtime.startContainer({ containerId }, { timeoutMs: callTimeoutMs });
      containers.push(containerId);
    }
    return { sandbox: podSandboxId, containers };
  }

  /** Undefined, or why the probe failed. */
  async #execTrue(containerId: string): Promise<string | undefined> {
    try {
      const { exitCode } = await this.#runtime.execSync({ containerId, cmd: ['true'], timeout: probeTimeoutSeconds }, { timeoutMs: callTimeoutMs });
      return exitCode === 0 ? undefined : `exit code ${exitCode}`;
    } catch (error) {
      return errorMessage(error);
    }
  }
}

async function inParallel(count: number, act: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < count) await act(next++);
  };
  await Promise.all(Array.from({ length: concurrency }, work));
}
