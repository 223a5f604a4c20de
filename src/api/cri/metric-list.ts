import type { MessageInitShape } from '@bufbuild/protobuf';
import { type MetricSchema, MetricType } from '../k8s.io/runtime/v1/metrics_pb.ts';
import type { MetricName } from './metric-descriptors.ts';

/** Metrics that have the same object: its labels come first in each. */
export class MetricList {
  readonly metrics: MessageInitShape<typeof MetricSchema>[] = [];
  readonly #labels: readonly string[];
  readonly #timestamp: bigint;

  /** `timestamp`: when they were measured, in nanoseconds since the epoch. */
  constructor(labels: readonly string[], timestamp: bigint) {
    this.#labels = labels;
    this.#timestamp = timestamp;
  }

  /** Whole numbers from 0 on: what is measured finer is rounded down. What was not measured is left out. */
  add(name: MetricName, value: bigint | number | undefined, ...more: readonly string[]): void {
    if (value === undefined) return;
    this.metrics.push({
      name,
      timestamp: this.#timestamp,
      metricType: name.endsWith('_total') || name === 'container_memory_failcnt' ? MetricType.COUNTER : MetricType.GAUGE,
      labelValues: [...this.#labels, ...more],
      value: { value: typeof value === 'bigint' ? value : BigInt(Math.max(0, Math.floor(value))) },
    });
  }
}
