import { isCode, StrakeError } from '../../base/index.ts';
import { type Descriptor, layerCompression } from '../../oci/index.ts';
import { applyLayer } from '../diff/apply.ts';
import type { AppliedLayer, LayerLimits, OpenFileTree } from '../diff/diff.ts';
import type { Snapshotter } from '../snapshots/snapshots.ts';
import { DrainableSource } from './drainable-source.ts';
import { SharedJobs } from './shared-jobs.ts';
import { Slots } from './slots.ts';

/** What happens to a layer; byte counts are of the compressed blob. */
export type LayerEvent =
  | { readonly state: 'waiting' | 'verifying' | 'downloaded' | 'complete' | 'exists' }
  | { readonly state: 'downloading' | 'extracting'; readonly currentBytes: number; readonly totalBytes: number };

export interface LayerJob {
  readonly layer: Descriptor;
  readonly diffId: string;
  readonly chainId: string;
  /** The layer below, and when its snapshot is there. */
  readonly parent: { readonly chainId: string; readonly ready: Promise<unknown> } | undefined;
  /** The compressed blob. Called at most once, when it is this layer's turn; must verify the blob before it ends. */
  readonly source: (context: { readonly signal: AbortSignal; readonly emit: (event: LayerEvent) => void }) => AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: LayerEvent) => void) | undefined;
}

export interface LayerUnpackerOptions {
  readonly snapshots: Snapshotter;
  readonly openFileTree: OpenFileTree;
  readonly limits?: Partial<LayerLimits>;
  /** Layers in work at once; docker's max-concurrent-downloads is 3 too. */
  readonly parallel?: number | undefined;
}

/** Of a layer that cannot be unpacked, at most so much more is fetched to know whether it is the blob at all. */
const drainLimitBytes = 32 << 20;

/** Keys of snapshots that are being unpacked begin so: garbage when no unpack runs. */
export const unpackPrefix = 'unpack-';

/**
 * Makes a committed snapshot, named by its chain id, of a layer. Layers unpack in parallel, each into its own directory as its bytes come in, and are committed
 * in order. A layer that several want at once is unpacked once.
 */
export class LayerUnpacker {
  readonly #options: LayerUnpackerOptions;
  readonly #jobs = new SharedJobs<LayerEvent, void>();
  readonly #slots: Slots;

  constructor(options: LayerUnpackerOptions) {
    this.#options = options;
    this.#slots = new Slots(options.parallel ?? 3);
  }

  /** Resolves when the snapshot is there. */
  async ensure(job: LayerJob): Promise<void> {
    await this.#jobs.run(
      job.chainId,
      async ({ signal, emit }) => {
        if (await this.#exists(job.chainId)) return emit({ state: 'exists' });
        await this.#unpack(job, signal, emit);
        emit({ state: 'complete' });
      },
      { signal: job.signal, onEvent: job.onEvent },
    );
  }

  async #exists(chainId: string): Promise<boolean> {
    try {
      return (await this.#options.snapshots.stat(chainId)).kind === 'committed';
    } catch (error) {
      // One that is damaged is healed by being unpacked again.
      if (isCode(error, 'NotFound') || isCode(error, 'DataLoss')) return false;
      throw error;
    }
  }

  async #unpack(job: LayerJob, signal: AbortSignal, emit: (event: LayerEvent) => void): Promise<void> {
    const { snapshots } = this.#options;
    const key = `${unpackPrefix}${job.chainId}`;
    if (this.#slots.full) emit({ state: 'waiting' });
    let prepared = false;
    const over = snapshots.unpacksApart ? undefined : job.parent;
    try {
      await over?.ready;
      let applied: AppliedLayer;
      {
        using _slot = await this.#slots.take(signal);
        await this.#removeStale(key);
        await snapshots.prepare(key, over?.chainId);
        prepared = true;
        applied = await this.#apply(job, key, signal, emit);
      }
      await job.parent?.ready;
      signal.throwIfAborted();
      await snapshots.commit(job.chainId, key, {
        ...(job.parent === undefined || over !== undefined ? {} : { parent: job.parent.chainId }),
        inheritRoot: !applied.hasRoot && over === undefined,
        usage: { sizeBytes: applied.sizeBytes, inodes: applied.inodes + 1 },
      });
    } catch (error) {
      if (prepared) await this.#removeStale(key);
      throw error;
    }
  }

  async #apply(job: LayerJob, key: string, signal: AbortSignal, emit: (event: LayerEvent) => void): Promise<AppliedLayer> {
    const { digest, mediaType } = job.layer;
    const compression = layerCompression(mediaType);
    if (compression === undefined)
      throw new StrakeError('InvalidArgument', `layer ${digest}: media type ${JSON.stringify(mediaType)} is not one of a layer`, {
        fields: { layer: 'core', digest },
      });
    const { dir, whiteouts } = await this.#options.snapshots.unpackTarget(key);
    await using tree = await this.#options.openFileTree(dir, { signal });
    const source = new DrainableSource(job.source({ signal, emit }));
    try {
      return await applyLayer(source, tree, {
        name: digest,
        compression,
        whiteouts,
        expectedDiffId: job.diffId,
        signal,
        ...(this.#options.limits === undefined ? {} : { limits: this.#options.limits }),
      });
    } catch (error) {
      // Bytes that are not the blob's are the cause of whatever is wrong in them.
      const isContent = isCode(error, 'DataLoss') || isCode(error, 'InvalidArgument') || isCode(error, 'Unimplemented');
      if (isContent && !signal.aborted && job.layer.size - source.bytes <= drainLimitBytes) await source.drain();
      throw error;
    } finally {
      await source.close();
    }
  }

  /** What an unpack that failed, or a crash, left. */
  async #removeStale(key: string): Promise<void> {
    try {
      await this.#options.snapshots.remove(key);
    } catch (error) {
      if (!isCode(error, 'NotFound')) throw error;
    }
  }
}
