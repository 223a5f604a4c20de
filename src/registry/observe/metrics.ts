import { Counter, Gauge, Histogram, Registry as MetricRegistry } from 'prom-client';
import type { GarbageReport } from '../garbage/collect.ts';
import type { AnsweredRequest } from '../http/server.ts';
import { parseTarget } from '../http/target.ts';
import type { Storage } from '../store/storage.ts';
import type { ContentEvent } from './events.ts';
import type { Webhook } from './webhook.ts';

export interface MetricsOptions {
  readonly storage: Storage;
  readonly webhooks: readonly Webhook[];
}

/** What is measured, in Prometheus' words. Names of repositories are no labels: there is no end of them. */
export interface Metrics {
  answered(request: AnsweredRequest): void;
  happened(event: ContentEvent): void;
  collected(report: GarbageReport): void;
  lookedUp(found: 'here' | 'upstream'): void;
  /** The text format of Prometheus, and its media type. */
  readonly contentType: string;
  text(): Promise<string>;
}

/** A manifest takes ms, a large layer minutes. */
const durationBuckets = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30, 120];

export function createMetrics({ storage, webhooks }: MetricsOptions): Metrics {
  const registry = new MetricRegistry();
  const registers = [registry];
  const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[] = []) =>
    new Counter({ name: `strake_registry_${name}`, help, labelNames: [...labelNames], registers });
  const requests = counter('http_requests_total', 'Requests that were answered', ['method', 'target', 'status']);
  const received = counter('http_received_bytes_total', 'Bytes of request bodies');
  const sent = counter('http_sent_bytes_total', 'Bytes of reply bodies');
  const events = counter('events_total', 'What clients did to content', ['action']);
  const lookups = counter('cache_lookups_total', 'What a cache was asked for: what was here, and what came from upstream', ['found']);
  const collections = counter('garbage_collections_total', 'Garbage collections that were done');
  const freedBlobs = counter('garbage_blobs_total', 'Blobs that were taken away');
  const freedBytes = counter('garbage_bytes_total', 'Bytes of blobs that were taken away');
  const duration = new Histogram({
    name: 'strake_registry_http_request_duration_seconds',
    help: 'From the head of a request to the end of its answer',
    labelNames: ['method', 'target'],
    buckets: durationBuckets,
    registers,
  });
  gauges(registers, storage, webhooks);
  return {
    answered({ method, path, status, seconds, receivedBytes, sentBytes }) {
      const labels = { method: methodLabel(method), target: targetLabel(path) };
      requests.inc({ ...labels, status: String(status) });
      duration.observe(labels, seconds);
      received.inc(receivedBytes);
      sent.inc(sentBytes);
    },
    happened: ({ action }) => events.inc({ action }),
    lookedUp: (found) => lookups.inc({ found }),
    collected(report) {
      collections.inc();
      freedBlobs.inc(report.blobs);
      freedBytes.inc(report.freedBytes);
    },
    contentType: registry.contentType,
    text: async () => await registry.metrics(),
  };
}

/** Read when they are asked for. */
function gauges(registers: MetricRegistry[], { catalogue, uploads }: Storage, webhooks: readonly Webhook[]): void {
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  for (const [name, help] of [
    ['repositories', 'Repositories with something in them'],
    ['manifests', 'Manifests, each in each repository'],
    ['tags', 'Tags'],
    ['blobs', 'Blobs that repositories have, each once'],
    ['blobBytes', 'Bytes of these blobs'],
  ] as const)
    gauge(`strake_registry_${name === 'blobBytes' ? 'blob_bytes' : name}`, help, () => catalogue.counts()[name]);
  gauge('strake_registry_uploads', 'Uploads that are not finished', () => uploads.count());
  gauge('process_resident_memory_bytes', 'Resident memory', () => process.memoryUsage.rss());
  for (const state of ['waiting', 'sent', 'dropped'] as const)
    new Gauge({
      name: `strake_registry_notifications_${state}`,
      help: `Notifications: ${state}`,
      labelNames: ['url'],
      registers,
      collect() {
        for (const webhook of webhooks) this.set({ url: webhook.url }, webhook.counts[state]);
      },
    });
}

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** Of a few: what a client makes up is no label. */
function methodLabel(method: string): string {
  return methods.includes(method) ? method : 'other';
}

function targetLabel(path: string): string {
  try {
    return parseTarget(path)?.kind ?? 'other';
  } catch {
    return 'other';
  }
}
