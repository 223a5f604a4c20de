import type { Logger } from '../../base/index.ts';
import type { Cri } from '../cri.ts';
import type { V1Container, V1Probe } from '../kubernetes.ts';
import { isSidecar, type Pod } from '../pods/pod.ts';
import type { ContainerHealth, FailedProbe } from '../worker/decide.ts';
import type { ContainerRecord } from '../worker/observe.ts';
import { checkOnce } from './check.ts';
import { Prober } from './prober.ts';

interface Watched {
  readonly probers: Prober[];
  started: boolean;
  ready: boolean;
  failed: FailedProbe | undefined;
}

export interface PodProbesOptions {
  readonly pod: Pod;
  readonly runtime: Cri['runtime'];
  readonly log: Logger;
  /** Something has changed that the pod's next step depends on. */
  readonly onChange: () => void;
}

/** The probes of a pod's containers that run. */
export class PodProbes implements Disposable {
  readonly #options: PodProbesOptions;
  readonly #watched = new Map<string, Watched>();

  constructor(options: PodProbesOptions) {
    this.#options = options;
  }

  [Symbol.dispose](): void {
    for (const id of [...this.#watched.keys()]) this.#drop(id);
  }

  /** Probes those of the containers that run, and no others. */
  update(records: readonly ContainerRecord[], podIP: string): void {
    const running = new Map(records.filter(({ state }) => state === 'running').map((record) => [record.id, record]));
    for (const id of [...this.#watched.keys()]) if (!running.has(id)) this.#drop(id);
    const { containers, initContainers = [] } = this.#options.pod.spec;
    for (const container of [...initContainers.filter(isSidecar), ...containers]) {
      const record = records.find(({ name, state }) => name === container.name && state === 'running');
      if (record !== undefined && !this.#watched.has(record.id)) this.#watch(record, container, podIP);
    }
  }

  health(containerId: string): ContainerHealth {
    const { started = true, failed } = this.#watched.get(containerId) ?? {};
    return { started, failed };
  }

  isReady(containerId: string): boolean {
    return this.#watched.get(containerId)?.ready ?? false;
  }

  #drop(id: string): void {
    for (const prober of this.#watched.get(id)?.probers ?? []) prober[Symbol.dispose]();
    this.#watched.delete(id);
  }

  #watch(record: ContainerRecord, container: V1Container, podIP: string): void {
    const { startupProbe, readinessProbe } = container;
    const watched: Watched = {
      probers: [],
      started: startupProbe === undefined,
      ready: startupProbe === undefined && readinessProbe === undefined,
      failed: undefined,
    };
    this.#watched.set(record.id, watched);
    const begin = (probe: V1Probe, kind: string, onResult: (passed: boolean, prober: Prober) => void): void => {
      const prober: Prober = new Prober({
        probe,
        startedAtMs: Number(record.startedAt / 1_000_000n),
        check: async (signal) => await checkOnce(probe, { container, containerId: record.id, podIP }, this.#options.runtime, signal),
        onResult: (passed, message) => {
          if (!passed) this.#options.log.warn(`${kind} probe failed`, { container: container.name, message });
          onResult(passed, prober);
          this.#options.onChange();
        },
      });
      watched.probers.push(prober);
    };
    const fail = (kind: FailedProbe, prober: Prober): void => {
      watched.failed = kind;
      watched.ready = false;
      prober[Symbol.dispose]();
    };
    const afterStartup = (): void => {
      watched.started = true;
      watched.ready = readinessProbe === undefined;
      if (readinessProbe !== undefined)
        begin(readinessProbe, 'readiness', (passed) => {
          watched.ready = passed;
        });
      if (container.livenessProbe !== undefined) begin(container.livenessProbe, 'liveness', (passed, prober) => void (passed || fail('liveness', prober)));
    };
    if (startupProbe === undefined) {
      afterStartup();
      return;
    }
    begin(startupProbe, 'startup', (passed, prober) => {
      if (!passed) {
        fail('startup', prober);
        return;
      }
      prober[Symbol.dispose]();
      afterStartup();
    });
  }
}
