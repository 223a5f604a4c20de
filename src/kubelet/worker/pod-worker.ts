import { errorMessage, type Logger } from '../../base/index.ts';
import { type SandboxConfig, sandboxConfig } from '../config/sandbox.ts';
import { slowCallTimeoutMs } from '../cri.ts';
import type { V1Container, V1PodStatus } from '../kubernetes.ts';
import type { Objects } from '../pods/objects.ts';
import { graceMs, type Pod, podName } from '../pods/pod.ts';
import { PodProbes } from '../probes/pod-probes.ts';
import { podStatus, type WaitingReason } from '../status/pod-status.ts';
import type { Volume } from '../volumes/volume.ts';
import { type Decision, decide, type Kill, type Start } from './decide.ts';
import { environmentSources, type WorkerKit } from './kit.ts';
import type { ContainerRecord, PodObservation, SandboxRecord } from './observe.ts';
import { podAddress, startContainer } from './start-container.ts';
import { removeContainers, removePod, removeSuperseded, stopContainer, stopPod } from './stop-pod.ts';
import { Waiting } from './waiting.ts';
import { Wake } from './wake.ts';

/** After a step that failed for no fault of the pod's: the runtime is away. */
const retryMs = { first: 500, most: 10_000 } as const;
/** Without any event a pod is looked at so often. */
const resyncMs = 60_000;
/** More steps than these in a row are no progress. */
const maxSteps = 100;

type Life = { readonly kind: 'running' } | { readonly kind: 'ending'; readonly graceMs: number } | { readonly kind: 'ended' };

/** Brings one pod to what its manifest says, keeps it there, and ends it. */
export class PodWorker {
  readonly pod: Pod;
  /** Resolves once everything of the pod is gone, or the worker was stopped. */
  readonly ended: Promise<void>;
  readonly #kit: WorkerKit;
  readonly #log: Logger;
  readonly #probes: PodProbes;
  readonly #wake = new Wake();
  readonly #changed: () => void;
  /** Aborts the step under way: the pod is to end, or the kubelet does. */
  #step = new AbortController();
  #isStopped = false;
  #life: Life = { kind: 'running' };
  #observed: PodObservation = { sandboxes: [], containers: [] };
  readonly #waiting = new Map<string, WaitingReason>();
  #podReason: WaitingReason | undefined;
  /** Why the last step failed. */
  #problem: string | undefined;
  #startedAtMs: number | undefined;
  #made: { readonly from: Objects; readonly volumes: ReadonlyMap<string, Volume> } | undefined;
  #wakeAtMs = 0;

  constructor(kit: WorkerKit, pod: Pod, changed: () => void) {
    this.pod = pod;
    this.#kit = kit;
    this.#changed = changed;
    this.#log = kit.log.with({ pod: podName(pod) });
    this.#probes = new PodProbes({ pod, runtime: kit.cri.runtime, log: this.#log, onChange: () => this.#wake.wake() });
    this.ended = this.#run();
  }

  /** Something of the pod, or of what it refers to, has changed. */
  wake(): void {
    this.#wake.wake();
  }

  /** Ends the pod and removes all of it. A later call can only shorten the time of grace. */
  end(withinMs = graceMs(this.pod)): void {
    if (this.#life.kind === 'ended') return;
    if (this.#life.kind === 'running' || withinMs < this.#life.graceMs) this.#life = { kind: 'ending', graceMs: withinMs };
    this.#step.abort();
    this.#wake.wake();
  }

  /** Leaves the pod as it is. */
  stop(): void {
    this.#isStopped = true;
    this.#step.abort();
    this.#wake.wake();
  }

  get isEnding(): boolean {
    return this.#life.kind !== 'running';
  }

  /** As they were seen last. */
  runningContainers(): readonly ContainerRecord[] {
    return this.#observed.containers.filter(({ state }) => state === 'running');
  }

  status(): V1PodStatus {
    return podStatus({
      pod: this.pod,
      observed: this.#observed,
      waiting: this.#waiting,
      problem: this.#problem,
      reason: this.#podReason,
      startedAtMs: this.#startedAtMs,
      isReady: (id) => this.#probes.isReady(id),
      isStarted: (id) => this.#probes.health(id).started,
      hostIPs: this.#kit.node.hostIPs,
      runtimeName: this.#kit.node.runtimeName,
    });
  }

  async #run(): Promise<void> {
    let pauseMs = 0;
    while (!this.#isOver) {
      this.#step = new AbortController();
      const { signal } = this.#step;
      this.#wakeAtMs = performance.now() + resyncMs;
      try {
        if (this.#life.kind === 'ending') await this.#remove(this.#life.graceMs);
        else await this.#advance(signal);
        pauseMs = 0;
        this.#problem = undefined;
      } catch (error) {
        if (!signal.aborted) {
          this.#problem = errorMessage(error);
          pauseMs = Math.min(Math.max(pauseMs * 2, retryMs.first), retryMs.most);
          this.#log.warn(this.isEnding ? 'pod is not gone yet' : 'pod is not as it should be yet', { error: errorMessage(error), retryMs: pauseMs });
          this.#wakeAtMs = performance.now() + pauseMs;
        }
      }
      this.#changed();
      if (!this.#isOver && !signal.aborted) await this.#wake.until(this.#wakeAtMs);
    }
    this.#probes[Symbol.dispose]();
  }

  get #isOver(): boolean {
    return this.#isStopped || this.#life.kind === 'ended';
  }

  async #look(signal?: AbortSignal): Promise<PodObservation> {
    const observed = await this.#kit.observer.observe(this.pod.uid, signal);
    this.#observed = observed;
    const [sandbox] = observed.sandboxes;
    const oldest = observed.sandboxes.at(-1);
    if (oldest !== undefined) this.#startedAtMs ??= Number(oldest.createdAt / 1_000_000n);
    if (sandbox !== undefined) this.#probes.update(this.#life.kind === 'running' ? observed.containers : [], podAddress(this.#kit, sandbox));
    return observed;
  }

  /** Steps, until there is nothing to do but wait. */
  async #advance(signal: AbortSignal): Promise<void> {
    await this.#refreshVolumes();
    for (let step = 0; step < maxSteps; step++) {
      signal.throwIfAborted();
      const observed = await this.#look(signal);
      const decision = this.#isOverdue() ? ({ kind: 'finish' } as const) : decide(this.pod, observed, (id) => this.#probes.health(id));
      this.#changed();
      if (!(await this.#carryOut(decision, observed, signal))) return;
    }
  }

  /** Answers whether there may be more to do. */
  async #carryOut(decision: Decision, observed: PodObservation, signal: AbortSignal): Promise<boolean> {
    if (decision.kind === 'make-sandbox') {
      await this.#makeSandbox(decision.attempt, observed, signal);
      return true;
    }
    if (decision.kind === 'finish') {
      this.#waiting.clear();
      const runs = observed.containers.some(({ state }) => state === 'running') || observed.sandboxes.some(({ ready }) => ready);
      if (runs) await stopPod(this.#kit, this.pod, observed, graceMs(this.pod));
      await removeSuperseded(this.#kit, observed);
      return runs;
    }
    await Promise.all(decision.kill.map(async (kill) => await this.#kill(kill, decision.sandbox)));
    let progress = decision.kill.length > 0;
    for (const start of decision.start) progress = (await this.#start(start, decision.sandbox, signal)) || progress;
    if (!progress) await removeSuperseded(this.#kit, observed);
    return progress;
  }

  async #makeSandbox(attempt: number, observed: PodObservation, signal: AbortSignal): Promise<void> {
    await stopPod(this.#kit, this.pod, observed, graceMs(this.pod));
    await this.#volumes();
    const config = this.#sandboxConfig(attempt);
    const runtimeHandler = this.pod.spec.runtimeClassName ?? '';
    this.#log.info('pod sandbox is made', { attempt });
    signal.throwIfAborted();
    await this.#kit.cri.runtime.runPodSandbox({ config, runtimeHandler }, { timeoutMs: slowCallTimeoutMs });
  }

  #sandboxConfig(attempt: number): SandboxConfig {
    const userns = this.pod.spec.hostUsers === false ? this.#kit.userNamespaces.of(this.pod.uid) : undefined;
    return sandboxConfig(this.pod, attempt, this.#kit.node, userns);
  }

  async #kill({ record, container, failed }: Kill, sandbox: SandboxRecord): Promise<void> {
    this.#log.info(`Container ${container.name} failed ${failed} probe, will be restarted`, { container: container.name });
    const probe = failed === 'startup' ? container.startupProbe : container.livenessProbe;
    const { terminationGracePeriodSeconds: ownSeconds } = probe ?? {};
    const withinMs = ownSeconds === undefined ? graceMs(this.pod) : ownSeconds * 1000;
    await stopContainer(this.#kit, { record, container, podIP: podAddress(this.#kit, sandbox), graceMs: withinMs });
  }

  /** Answers whether it was started. */
  async #start({ container, before }: Start, sandbox: SandboxRecord, signal: AbortSignal): Promise<boolean> {
    const key = `${this.pod.uid}/${container.name}`;
    const failedMs = before?.state === 'exited' ? Number(before.finishedAt / 1_000_000n) : undefined;
    const remainingMs = failedMs === undefined ? 0 : this.#kit.restarts.remainingMs(key, failedMs, Date.now());
    if (remainingMs > 0) {
      const pause = this.#kit.restarts.pauseMs(key) / 1000;
      this.#await(
        container,
        new Waiting('CrashLoopBackOff', `back-off ${pause}s restarting failed container=${container.name} pod=${podName(this.pod)}`, remainingMs),
      );
      return false;
    }
    if (failedMs !== undefined) this.#kit.restarts.next(key, failedMs, Date.now());
    // A start that nobody finished: it never ran.
    if (before?.state === 'created' || before?.state === 'unknown') await removeContainers(this.#kit, [before]);
    try {
      const start = {
        pod: this.pod,
        container,
        attempt: before === undefined ? 0 : before.attempt + 1,
        sandbox,
        sandboxConfig: this.#sandboxConfig(sandbox.attempt),
        volumes: await this.#volumes(),
      };
      await startContainer(this.#kit, start, signal);
      this.#waiting.delete(container.name);
      this.#log.info('container is started', { container: container.name, attempt: start.attempt });
      return true;
    } catch (error) {
      if (!(error instanceof Waiting)) throw error;
      this.#await(container, error);
      return false;
    }
  }

  #await({ name }: V1Container, { reason, message, retryMs: inMs }: Waiting): void {
    const known = this.#waiting.get(name);
    if (known?.reason !== reason || known.message !== message) this.#log.warn(reason, { container: name, message });
    this.#waiting.set(name, { reason, message });
    this.#wakeAtMs = Math.min(this.#wakeAtMs, performance.now() + inMs);
  }

  async #volumes(): Promise<ReadonlyMap<string, Volume>> {
    const from = this.#kit.objects();
    if (this.#made?.from !== from) this.#made = { from, volumes: await this.#kit.volumes.prepare(this.pod, environmentSources(this.#kit, [])) };
    return this.#made.volumes;
  }

  /** What volumes show follows what they are made from, while the containers run. */
  async #refreshVolumes(): Promise<void> {
    if (this.#made === undefined) return;
    try {
      await this.#volumes();
    } catch (error) {
      // They go on showing what they showed.
      this.#log.warn('volumes are not up to date', { error: errorMessage(error) });
    }
  }

  #isOverdue(): boolean {
    const { activeDeadlineSeconds } = this.pod.spec;
    if (activeDeadlineSeconds === undefined || this.#startedAtMs === undefined) return false;
    const leftMs = this.#startedAtMs + activeDeadlineSeconds * 1000 - Date.now();
    if (leftMs > 0) {
      this.#wakeAtMs = Math.min(this.#wakeAtMs, performance.now() + leftMs);
      return false;
    }
    this.#podReason = { reason: 'DeadlineExceeded', message: 'Pod was active on the node longer than the specified deadline' };
    return true;
  }

  async #remove(withinMs: number): Promise<void> {
    const observed = await this.#look();
    this.#log.info('pod is ended', { graceMs: withinMs });
    await stopPod(this.#kit, this.pod, observed, withinMs);
    await removePod(this.#kit, this.pod, await this.#look());
    for (const { name } of [...(this.pod.spec.initContainers ?? []), ...this.pod.spec.containers]) this.#kit.restarts.forget(`${this.pod.uid}/${name}`);
    this.#life = { kind: 'ended' };
    this.#log.info('pod is gone');
  }
}
