import { shortId } from '../base/index.ts';
import type { LayerEvent } from '../core/index.ts';

/** A line of progress of a pull or a push in Docker's words; `id` is a layer's short digest, or the tag in the first line. */
export interface PullProgress {
  readonly id?: string;
  readonly status: string;
  readonly progressDetail?: { readonly current: number; readonly total: number };
}

export const progressWords = {
  listed: 'Pulling fs layer',
  waiting: 'Waiting',
  downloading: 'Downloading',
  verifying: 'Verifying Checksum',
  downloaded: 'Download complete',
  extracting: 'Extracting',
  complete: 'Pull complete',
  exists: 'Already exists',
} as const;

export const pushWords = {
  preparing: 'Preparing',
  waiting: 'Waiting',
  pushing: 'Pushing',
  pushed: 'Pushed',
  exists: 'Layer already exists',
} as const;

/** docker pull draws at most ten states a second; more only cost. */
const intervalMs = 100;

/** Turns the events of one layer into progress lines, byte counts at most ten times a second. */
export function layerProgress(digest: string, report: (progress: PullProgress) => void): (event: LayerEvent) => void {
  const id = shortId(digest);
  let nextAtMs = 0;
  return (event) => {
    const status = progressWords[event.state];
    if (!('currentBytes' in event)) {
      report({ id, status, progressDetail: { current: 0, total: 0 } });
      return;
    }
    const now = performance.now();
    if (now < nextAtMs && event.currentBytes < event.totalBytes) return;
    nextAtMs = now + intervalMs;
    report({ id, status, progressDetail: { current: event.currentBytes, total: event.totalBytes } });
  };
}

/** Bytes of one layer that are sent, at most ten times a second. */
export function uploadProgress(id: string, totalBytes: number, report: (progress: PullProgress) => void): (sentBytes: number) => void {
  let nextAtMs = 0;
  return (sentBytes) => {
    const now = performance.now();
    if (now < nextAtMs && sentBytes < totalBytes) return;
    nextAtMs = now + intervalMs;
    report({ id, status: pushWords.pushing, progressDetail: { current: sentBytes, total: totalBytes } });
  };
}
