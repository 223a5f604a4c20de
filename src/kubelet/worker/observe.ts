import { criContainer, criLinux, criPod } from '../../api/cri/index.ts';
import { isCode } from '../../base/index.ts';
import { podUidLabel } from '../config/labels.ts';
import type { UserNamespace } from '../config/sandbox.ts';
import { type Cri, callTimeoutMs } from '../cri.ts';

/** What the runtime has of a pod: the newest of each first. */
export interface PodObservation {
  readonly sandboxes: readonly SandboxRecord[];
  readonly containers: readonly ContainerRecord[];
}

export interface SandboxRecord {
  readonly id: string;
  readonly attempt: number;
  /** ns since the epoch, as all times of records */
  readonly createdAt: bigint;
  readonly ready: boolean;
  /** Of the newest alone; empty in the machine's network, too. */
  readonly ips: readonly string[];
  readonly userns: UserNamespace | undefined;
}

export type ContainerState = 'created' | 'running' | 'exited' | 'unknown';

export interface ContainerRecord {
  readonly id: string;
  readonly name: string;
  readonly sandboxId: string;
  readonly attempt: number;
  readonly state: ContainerState;
  readonly createdAt: bigint;
  readonly startedAt: bigint;
  readonly finishedAt: bigint;
  readonly exitCode: number;
  readonly reason: string;
  readonly message: string;
  /** The name that the manifest has, and what it stood for. */
  readonly image: string;
  readonly imageRef: string;
  readonly logPath: string;
  /** Where its last words are, on the machine; undefined: it has no such file. */
  readonly messageFile: (containerPath: string) => string | undefined;
}

const states: Readonly<Record<criContainer.ContainerState, ContainerState>> = {
  [criContainer.ContainerState.CONTAINER_CREATED]: 'created',
  [criContainer.ContainerState.CONTAINER_RUNNING]: 'running',
  [criContainer.ContainerState.CONTAINER_EXITED]: 'exited',
  [criContainer.ContainerState.CONTAINER_UNKNOWN]: 'unknown',
};

/** Looks at pods, and asks once only what does not change: how a container ended. */
export class Observer {
  readonly #runtime: Cri['runtime'];
  readonly #ended = new Map<string, ContainerRecord>();

  constructor(runtime: Cri['runtime']) {
    this.#runtime = runtime;
  }

  async observe(uid: string, signal?: AbortSignal): Promise<PodObservation> {
    const labelSelector = { [podUidLabel]: uid };
    const options = { timeoutMs: callTimeoutMs, signal };
    const [{ items }, { containers }] = await Promise.all([
      this.#runtime.listPodSandbox({ filter: { labelSelector } }, options),
      this.#runtime.listContainers({ filter: { labelSelector } }, options),
    ]);
    const newest = (a: { createdAt: bigint }, b: { createdAt: bigint }): number => (a.createdAt < b.createdAt ? 1 : -1);
    const sandboxes = items.sort(newest).map(async (sandbox, index): Promise<SandboxRecord> => {
      const known = { id: sandbox.id, attempt: sandbox.metadata?.attempt ?? 0, createdAt: sandbox.createdAt };
      const status = index === 0 ? await this.#sandboxStatus(sandbox.id, options) : undefined;
      const addresses = [status?.network?.ip ?? '', ...(status?.network?.additionalIps ?? []).map(({ ip }) => ip)];
      const userns = status?.linux?.namespaces?.options?.usernsOptions;
      return {
        ...known,
        ready: (status?.state ?? sandbox.state) === criPod.PodSandboxState.SANDBOX_READY,
        ips: addresses.filter((ip) => ip !== ''),
        userns: userns?.mode === criLinux.NamespaceMode.POD && userns.uids.length > 0 ? userns : undefined,
      };
    });
    const records = containers.map(async (container) => await this.#container(container, options));
    const found = (await Promise.all(records)).filter((record) => record !== undefined);
    return { sandboxes: await Promise.all(sandboxes), containers: found.sort(newest) };
  }

  /** What was removed need not be remembered. */
  forget(ids: readonly string[]): void {
    for (const id of ids) this.#ended.delete(id);
  }

  async #sandboxStatus(podSandboxId: string, options: { timeoutMs: number; signal: AbortSignal | undefined }): Promise<criPod.PodSandboxStatus | undefined> {
    try {
      return (await this.#runtime.podSandboxStatus({ podSandboxId }, options)).status;
    } catch (error) {
      if (isCode(error, 'NotFound')) return undefined;
      throw error;
    }
  }

  async #container(
    { id, podSandboxId }: criContainer.Container,
    options: { timeoutMs: number; signal: AbortSignal | undefined },
  ): Promise<ContainerRecord | undefined> {
    const known = this.#ended.get(id);
    if (known !== undefined) return known;
    try {
      const { status } = await this.#runtime.containerStatus({ containerId: id }, options);
      if (status === undefined) return undefined;
      const record = recordOf(status, podSandboxId);
      if (record.state === 'exited') this.#ended.set(id, record);
      return record;
    } catch (error) {
      // Somebody removed it between the two questions.
      if (isCode(error, 'NotFound')) return undefined;
      throw error;
    }
  }
}

function recordOf(status: criContainer.ContainerStatus, sandboxId: string): ContainerRecord {
  const { id, metadata, state, createdAt, startedAt, finishedAt, exitCode, reason, message, image, imageRef, logPath, mounts } = status;
  return {
    id,
    name: metadata?.name ?? '',
    sandboxId,
    attempt: metadata?.attempt ?? 0,
    state: states[state] ?? 'unknown',
    createdAt,
    startedAt,
    finishedAt,
    exitCode,
    reason,
    message,
    image: image?.userSpecifiedImage || image?.image || '',
    imageRef,
    logPath,
    messageFile: (path) => mounts.find(({ containerPath }) => containerPath === path)?.hostPath,
  };
}
