import type { V1Container } from '../kubernetes.ts';
import { isSidecar, type Pod } from '../pods/pod.ts';
import type { ContainerRecord, PodObservation, SandboxRecord } from './observe.ts';

export type FailedProbe = 'startup' | 'liveness';

/** What probes and hooks have found out about a container. */
export interface ContainerHealth {
  /** It has passed its startup probe, or has none. */
  readonly started: boolean;
  /** The probe for whose sake it must be killed. */
  readonly failed: FailedProbe | undefined;
}

/** What is to be done next for a pod. */
export type Decision =
  /** Its sandbox is lost or was never there: everything of it ends, then a new one is made. */
  | { readonly kind: 'make-sandbox'; readonly attempt: number }
  | { readonly kind: 'run'; readonly sandbox: SandboxRecord; readonly kill: readonly Kill[]; readonly start: readonly Start[] }
  /** It has done what it had to, or can no longer do it: what is left of it ends. */
  | { readonly kind: 'finish' };

export interface Kill {
  readonly record: ContainerRecord;
  readonly container: V1Container;
  readonly failed: FailedProbe;
}

export interface Start {
  readonly container: V1Container;
  /** The newest of its name, of whatever sandbox; undefined: it is the first. */
  readonly before: ContainerRecord | undefined;
}

/**
 * The rules of a pod's life (kubernetes.io, "Pod Lifecycle", "Init Containers", "Sidecar Containers"): from what it should be and what the runtime has
 * of it to the next step.
 */
export function decide(pod: Pod, observed: PodObservation, health: (containerId: string) => ContainerHealth): Decision {
  const { spec } = pod;
  const [sandbox] = observed.sandboxes;
  const newest = (name: string): ContainerRecord | undefined => observed.containers.find((record) => record.name === name);
  if (sandbox === undefined) return { kind: 'make-sandbox', attempt: 0 };
  if (isFinished(pod, newest)) return { kind: 'finish' };
  const usable = sandbox.ready && (spec.hostNetwork === true || sandbox.ips.length > 0);
  if (!usable) {
    // What ran and may not run again cannot go on in another sandbox.
    if (spec.restartPolicy === 'Never' && observed.containers.length > 0) return { kind: 'finish' };
    return { kind: 'make-sandbox', attempt: sandbox.attempt + 1 };
  }
  return new Step(pod, observed, sandbox, health).decision();
}

/** Whether a container that ended so is to run again. */
function isRestarted(pod: Pod, container: V1Container, exitCode: number): boolean {
  if (isSidecar(container) || pod.spec.restartPolicy === 'Always') return true;
  return pod.spec.restartPolicy === 'OnFailure' && exitCode !== 0;
}

/** Whether no container of the pod will run again but for those that stand beside the others. */
export function isFinished(pod: Pod, newest: (name: string) => ContainerRecord | undefined): boolean {
  const { containers, initContainers = [] } = pod.spec;
  const isOver = (container: V1Container): boolean => {
    const record = newest(container.name);
    return record?.state === 'exited' && !isRestarted(pod, container, record.exitCode);
  };
  const hasFailed = (container: V1Container): boolean => !isSidecar(container) && isOver(container) && newest(container.name)?.exitCode !== 0;
  return initContainers.some(hasFailed) || containers.every(isOver);
}

class Step {
  readonly #pod: Pod;
  readonly #observed: PodObservation;
  readonly #sandbox: SandboxRecord;
  readonly #health: (containerId: string) => ContainerHealth;
  readonly #kill: Kill[] = [];
  readonly #start: Start[] = [];

  constructor(pod: Pod, observed: PodObservation, sandbox: SandboxRecord, health: (containerId: string) => ContainerHealth) {
    this.#pod = pod;
    this.#observed = observed;
    this.#sandbox = sandbox;
    this.#health = health;
  }

  decision(): Decision {
    const { containers, initContainers = [] } = this.#pod.spec;
    const begun = containers.some(({ name }) => this.#here(name) !== undefined);
    let waiting = false;
    for (const [index, container] of initContainers.entries()) {
      const isPassed = begun || initContainers.slice(index + 1).some(({ name }) => this.#here(name) !== undefined);
      waiting = !this.#initIsDone(container, isPassed);
      // Once the others run, an init container holds nobody up.
      if (waiting && !begun) break;
    }
    if (begun || !waiting) for (const container of containers) this.#main(container);
    return { kind: 'run', sandbox: this.#sandbox, kill: this.#kill, start: this.#start };
  }

  /** Its newest in the sandbox that is now. */
  #here(name: string): ContainerRecord | undefined {
    return this.#observed.containers.find((record) => record.name === name && record.sandboxId === this.#sandbox.id);
  }

  #startContainer(container: V1Container): void {
    this.#start.push({ container, before: this.#observed.containers.find(({ name }) => name === container.name) });
  }

  /** Whether the next one may begin. `isPassed`: a later one has begun in this sandbox, so that this one was done once. */
  #initIsDone(container: V1Container, isPassed: boolean): boolean {
    const record = this.#here(container.name);
    if (isSidecar(container)) {
      if (record?.state === 'running') return this.#keepIfHealthy(record, container);
      this.#startContainer(container);
      return false;
    }
    if (isPassed || (record?.state === 'exited' && record.exitCode === 0)) return true;
    if (record?.state !== 'running') this.#startContainer(container);
    return false;
  }

  #main(container: V1Container): void {
    const record = this.#here(container.name);
    if (record?.state === 'running') {
      this.#keepIfHealthy(record, container);
      return;
    }
    const last = record ?? this.#observed.containers.find(({ name }) => name === container.name);
    if (last?.state === 'exited' && !isRestarted(this.#pod, container, last.exitCode)) return;
    this.#startContainer(container);
  }

  /** Whether it has come up. */
  #keepIfHealthy(record: ContainerRecord, container: V1Container): boolean {
    const { failed, started } = this.#health(record.id);
    if (failed === undefined) return started;
    this.#kill.push({ record, container, failed });
    return false;
  }
}
