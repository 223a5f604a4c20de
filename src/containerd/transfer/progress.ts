import { ProgressSchema } from '../../api/containerd/index.ts';
import { untilAborted } from '../../base/index.ts';
import type { LayerEvent } from '../../core/index.ts';
import { type Descriptor, isIndexType, isManifestType, layerCompression } from '../../oci/index.ts';
import { packAny } from '../any.ts';
import type { MessageStream } from '../streaming/streams.ts';

export interface Step {
  readonly event: string;
  readonly name?: string;
  readonly parents?: readonly string[];
  readonly progress?: number;
  readonly total?: number;
  readonly descriptor?: Descriptor;
}

/** Clients draw ten times a second at most; more only cost. */
const intervalMs = 100;
/** Steps that a client may be behind; of more, those of bytes are left out. */
const maxBehind = 64;

/** Tells a client what a transfer does. What it does not take in time is left out, but for the ends of things; a client that has left is told nothing. */
export class Progress implements AsyncDisposable {
  readonly #stream: MessageStream | undefined;
  readonly #signal: AbortSignal;
  readonly #nextAtMs = new Map<string, number>();
  readonly #parents = new Map<string, readonly string[]>();
  #sending: Promise<void> = Promise.resolve();
  #behind = 0;

  /** `signal`: of the transfer, whose client waits for it no more. */
  constructor(stream: MessageStream | undefined, signal: AbortSignal) {
    this.#stream = stream;
    this.#signal = signal;
  }

  step(step: Step): void {
    const stream = this.#stream;
    if (stream === undefined) return;
    this.#behind++;
    const { event, name = '', parents = [], progress = 0, total = 0, descriptor } = step;
    const message = packAny(ProgressSchema, {
      event,
      name,
      parents: [...parents],
      progress: BigInt(progress),
      total: BigInt(total),
      ...(descriptor === undefined
        ? {}
        : {
            desc: {
              mediaType: descriptor.mediaType,
              digest: descriptor.digest,
              size: BigInt(descriptor.size),
              annotations: { ...descriptor.annotations },
            },
          }),
    });
    this.#sending = this.#sending
      .then(() => stream.send(message))
      // One that has left needs no progress; the transfer goes on.
      .catch(() => undefined)
      .finally(() => {
        this.#behind--;
      });
  }

  /** A descriptor that is going to be moved; `parent` names what it is below, or is the name of the whole. */
  found(descriptor: Descriptor, parent: Descriptor | string): void {
    const parents = [typeof parent === 'string' ? parent : refOf(parent)];
    if (this.#parents.has(descriptor.digest)) return;
    this.#parents.set(descriptor.digest, parents);
    this.step({ event: 'waiting', name: refOf(descriptor), parents, total: descriptor.size, descriptor });
  }

  /** What happens to a descriptor; `moving` is containerd's word for it: `downloading`, `uploading`. */
  moved(descriptor: Descriptor, event: LayerEvent, moving = 'downloading'): void {
    const common = { name: refOf(descriptor), parents: this.#parents.get(descriptor.digest) ?? [], total: descriptor.size, descriptor };
    if (event.state === 'complete') this.step({ ...common, event: 'complete', progress: descriptor.size });
    else if (event.state === 'exists') this.step({ ...common, event: 'already exists', progress: descriptor.size });
    else if ('currentBytes' in event && this.#isTime(`${event.state} ${descriptor.digest}`))
      this.step({ ...common, event: event.state === 'downloading' ? moving : event.state, progress: event.currentBytes });
  }

  #isTime(key: string): boolean {
    const now = performance.now();
    if (this.#behind > maxBehind || now < (this.#nextAtMs.get(key) ?? 0)) return false;
    this.#nextAtMs.set(key, now + intervalMs);
    return true;
  }

  /** Once the client has all, or is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await untilAborted(this.#sending, this.#signal);
    } catch {
      // The client has left the transfer.
    }
    this.#stream?.close();
  }
}

/** What containerd calls a descriptor's transfer: a word for its kind, and its digest. */
export function refOf({ mediaType, digest }: Descriptor): string {
  if (isIndexType(mediaType)) return `index-${digest}`;
  if (isManifestType(mediaType)) return `manifest-${digest}`;
  if (layerCompression(mediaType) !== undefined) return `layer-${digest}`;
  return `${/\.config\.v1\+json$|\.container\.image\.v1\+json$/.test(mediaType) ? 'config' : 'unknown'}-${digest}`;
}
