import { errorMessage, type Logger } from '../base/index.ts';
import { manifestAnnotation, ownerAnnotation } from './config/labels.ts';
import { type Cri, callTimeoutMs } from './cri.ts';
import { Puller } from './images/puller.ts';
import type { V1Pod } from './kubernetes.ts';
import { type LogLimits, rotateLog } from './logs/rotate.ts';
import type { Node } from './node.ts';
import type { Desired } from './pods/desired.ts';
import { objectsOf } from './pods/objects.ts';
import { makePod, type Pod, podName } from './pods/pod.ts';
import { PodVolumes } from './volumes/pod-volumes.ts';
import { UserNamespaces } from './volumes/user-namespaces.ts';
import type { HostMounts } from './volumes/volume.ts';
import { Backoff, type BackoffTimes } from './worker/backoff.ts';
import { followEvents } from './worker/events.ts';
import type { WorkerKit } from './worker/kit.ts';
import { Listeners } from './worker/listeners.ts';
import { Observer } from './worker/observe.ts';
import { PodWorker } from './worker/pod-worker.ts';

export interface KubeletOptions {
  readonly cri: Cri;
  readonly node: Node;
  readonly mounts: HostMounts;
  readonly restartBackoff: BackoffTimes;
  readonly pullBackoff: BackoffTimes;
  readonly logs: LogLimits;
  readonly log: Logger;
  /** Whether pods of this root directory that nobody wants any more are ended. */
  readonly endsOthers: boolean;
  readonly recursiveReadOnly: (handler: string) => boolean;
}

/** How often pods are looked for that nobody wants and no worker knows. */
const relistMs = 30_000;
/** How often logs are looked at, as Kubernetes' own kubelet does it. */
const rotateMs = 10_000;

/** Runs the pods that it is told to on a container runtime, and ends those that it is no longer told to. */
export class Kubelet implements AsyncDisposable {
  readonly #options: KubeletOptions;
  readonly #kit: WorkerKit;
  readonly #workers = new Map<string, PodWorker>();
  readonly #stop = new AbortController();
  readonly #listeners = new Listeners();
  #desired: Desired = { pods: new Map(), objects: objectsOf({ configMaps: [], secrets: [], claims: [] }) };
  #following: Promise<void> | undefined;
  #relist: NodeJS.Timeout | undefined;
  #rotate: NodeJS.Timeout | undefined;

  constructor(options: KubeletOptions) {
    const { cri, node, mounts, log, recursiveReadOnly, restartBackoff, pullBackoff } = options;
    this.#options = options;
    this.#kit = {
      cri,
      node,
      mounts,
      log,
      recursiveReadOnly,
      observer: new Observer(cri.runtime),
      volumes: new PodVolumes(node.rootDir, mounts),
      userNamespaces: new UserNamespaces(node.rootDir),
      puller: new Puller(cri.images, pullBackoff),
      restarts: new Backoff(restartBackoff),
      objects: () => this.#desired.objects,
    };
  }

  /** What is to run from now on. */
  async run(desired: Desired): Promise<void> {
    this.#desired = desired;
    this.#reconcile();
    for (const worker of this.#workers.values()) worker.wake();
    if (this.#following !== undefined) return;
    const { log } = this.#options;
    this.#following = followEvents({ runtime: this.#options.cri.runtime, log, signal: this.#stop.signal, onChange: (uid) => this.#noticed(uid) });
    this.#rotate = setInterval(() => void this.#rotateLogs(), rotateMs);
    if (!this.#options.endsOthers) return;
    this.#relist = setInterval(() => void this.#endOthers(), relistMs);
    await this.#endOthers();
  }

  /** Every pod with its status, as Kubernetes' API has them: those that run, and those on their way out. */
  pods(): V1Pod[] {
    return [...this.#workers.values()].map((worker) => {
      const { pod } = worker;
      const metadata = { ...pod.manifest.metadata, uid: pod.uid, ...(worker.isEnding ? { deletionTimestamp: new Date() } : {}) };
      return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { ...pod.spec, nodeName: this.#kit.node.name }, status: worker.status() };
    });
  }

  /** Calls back whenever a status may have changed. */
  onChange(listener: () => void): Disposable {
    return this.#listeners.add(listener);
  }

  /** Ends pods, and resolves once they are gone. `graceMs`: rather than what their manifests say. */
  async end(pods: readonly Pod[], graceMs?: number): Promise<void> {
    const workers = pods.map((pod) => this.#workers.get(pod.uid) ?? this.#add(pod));
    for (const worker of workers) worker.end(graceMs);
    await Promise.all(workers.map(async ({ ended }) => await ended));
  }

  /** The pods of this root directory that the runtime has. */
  async runningPods(): Promise<readonly Pod[]> {
    const { items } = await this.#options.cri.runtime.listPodSandbox({}, { signal: this.#stop.signal, timeoutMs: callTimeoutMs });
    const pods = new Map<string, Pod>();
    for (const { annotations, metadata } of items) {
      if (annotations[ownerAnnotation] !== this.#options.node.rootDir) continue;
      try {
        const manifest = JSON.parse(annotations[manifestAnnotation] ?? '') as V1Pod;
        const uid = metadata?.uid ?? '';
        pods.set(uid, { ...makePod(manifest), uid });
      } catch (error) {
        this.#options.log.error('a sandbox does not say what it is of', { pod: metadata?.name, error: errorMessage(error) });
      }
    }
    return [...pods.values()];
  }

  /** Leaves the pods as they are. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#relist);
    clearInterval(this.#rotate);
    this.#stop.abort();
    for (const worker of this.#workers.values()) worker.stop();
    await Promise.all([this.#following, ...[...this.#workers.values()].map(({ ended }) => ended)]);
  }

  #noticed(uid: string | undefined): void {
    if (uid !== undefined) this.#workers.get(uid)?.wake();
    else for (const worker of this.#workers.values()) worker.wake();
  }

  /** A pod whose name another one has still begins once that is gone. */
  #reconcile(): void {
    if (this.#stop.signal.aborted) return;
    const { pods } = this.#desired;
    for (const [uid, worker] of this.#workers) if (!pods.has(uid) && this.#options.endsOthers) worker.end();
    const names = new Set([...this.#workers.values()].map(({ pod }) => podName(pod)));
    for (const [uid, pod] of pods) if (!this.#workers.has(uid) && !names.has(podName(pod))) this.#add(pod);
  }

  #add(pod: Pod): PodWorker {
    const changed = (): void => this.#listeners.call();
    const worker = new PodWorker(this.#kit, pod, changed);
    this.#workers.set(pod.uid, worker);
    void worker.ended.then(() => {
      if (this.#stop.signal.aborted) return;
      this.#workers.delete(pod.uid);
      changed();
      this.#reconcile();
    });
    return worker;
  }

  async #rotateLogs(): Promise<void> {
    const { cri, logs, log } = this.#options;
    for (const { id, logPath } of [...this.#workers.values()].flatMap((worker) => worker.runningContainers())) {
      try {
        await rotateLog(logPath, logs, async () => void (await cri.runtime.reopenContainerLog({ containerId: id }, { timeoutMs: callTimeoutMs })));
      } catch (error) {
        log.warn('log is not rotated', { file: logPath, error: errorMessage(error) });
      }
    }
  }

  async #endOthers(): Promise<void> {
    try {
      for (const pod of await this.runningPods()) if (!this.#desired.pods.has(pod.uid)) (this.#workers.get(pod.uid) ?? this.#add(pod)).end();
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#options.log.warn('pods that nobody wants are not looked for', { error: errorMessage(error) });
    }
  }
}
