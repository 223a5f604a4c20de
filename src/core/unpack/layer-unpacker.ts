import { isCode, randomId, Slots, StrakeError } from '../../base/index.ts';
import { type Descriptor, layerCompression } from '../../oci/index.ts';
import { applyLayer } from '../diff/apply.ts';
import type { AppliedLayer, ApplyOptions, LayerLimits, OpenFileTree } from '../diff/diff.ts';
import type { Lease } from '../garbage/leases.ts';
import type { Snapshotter } from '../snapshots/snapshots.ts';
import { DrainableSource } from './drainable-source.ts';
import { SharedJobs } from './shared-jobs.ts';
import type { UnpackedLayer } from './unpacked-layer.ts';

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
  /** Asked first: the layer where it is unpacked already. It is this job's then. */
  readonly ahead?: (() => UnpackedLayer | undefined) | undefined;
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

export interface UnpackAheadOptions extends Pick<ApplyOptions, 'compression' | 'knownDiffId'> {
  /** Chain id of what it lies over; where it is not known, the snapshotter has to unpack apart. */
  readonly parent?: string | undefined;
  readonly lease: Lease;
  readonly signal?: AbortSignal | undefined;
}

type ApplyHereOptions = Pick<ApplyOptions, 'name' | 'compression' | 'expectedDiffId' | 'knownDiffId'> & { readonly signal?: AbortSignal | undefined };

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

  /** Whether a layer can be unpacked without what it lies over. */
  get unpacksApart(): boolean {
    return this.#options.snapshots.unpacksApart;
  }

  /**
   * Unpacks a layer of which nothing is known but its bytes, and perhaps what it lies over. `lease` holds it. The job that needs it commits it; else `discard` it.
   */
  async unpackAhead(source: AsyncIterable<Uint8Array>, { compression, knownDiffId, parent, lease, signal }: UnpackAheadOptions): Promise<UnpackedLayer> {
    const over = this.unpacksApart ? undefined : parent;
    const id = `ahead-${randomId()}`;
    using _slot = await this.#slots.take(signal);
    lease.add(id);
    return await this.#prepared(id, over, async (key) => await this.#apply(source, key, { name: id, compression, knownDiffId, signal }));
  }

  async discard({ key }: UnpackedLayer): Promise<void> {
    await this.#removeStale(key);
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
    const layer = (await this.#takeAhead(job, emit)) ?? (await this.#unpackNow(job, signal, emit));
    try {
      await job.parent?.ready;
      signal.throwIfAborted();
      const { key, over, applied } = layer;
      await snapshots.commit(job.chainId, key, {
        ...(job.parent === undefined || over !== undefined ? {} : { parent: job.parent.chainId }),
        inheritRoot: !applied.hasRoot && over === undefined,
        usage: { sizeBytes: applied.sizeBytes, inodes: applied.inodes + 1 },
      });
    } catch (error) {
      await this.discard(layer);
      throw error;
    }
  }

  /** What lies below the layer, where that must be there before it. */
  #over(job: LayerJob): LayerJob['parent'] {
    return this.unpacksApart ? undefined : job.parent;
  }

  async #takeAhead(job: LayerJob, emit: (event: LayerEvent) => void): Promise<UnpackedLayer | undefined> {
    const layer = job.ahead?.();
    if (layer === undefined) return undefined;
    if (layer.over !== this.#over(job)?.chainId) {
      await this.discard(layer);
      return undefined;
    }
    emit({ state: 'extracting', currentBytes: job.layer.size, totalBytes: job.layer.size });
    return layer;
  }

  async #unpackNow(job: LayerJob, signal: AbortSignal, emit: (event: LayerEvent) => void): Promise<UnpackedLayer> {
    const over = this.#over(job);
    if (this.#slots.full) emit({ state: 'waiting' });
    await over?.ready;
    using _slot = await this.#slots.take(signal);
    return await this.#prepared(job.chainId, over?.chainId, async (key) => await this.#applyJob(job, key, signal, emit));
  }

  async #prepared(id: string, over: string | undefined, apply: (key: string) => Promise<AppliedLayer>): Promise<UnpackedLayer> {
    const key = `${unpackPrefix}${id}`;
    await this.#removeStale(key);
    await this.#options.snapshots.prepare(key, over);
    try {
      return { key, over, applied: await apply(key) };
    } catch (error) {
      await this.#removeStale(key);
      throw error;
    }
  }

  async #applyJob(job: LayerJob, key: string, signal: AbortSignal, emit: (event: LayerEvent) => void): Promise<AppliedLayer> {
    const { digest, mediaType, size } = job.layer;
    const compression = layerCompression(mediaType);
    if (compression === undefined)
      throw new StrakeError('InvalidArgument', `layer ${digest}: media type ${JSON.stringify(mediaType)} is not one of a layer`, {
        fields: { layer: 'core', digest },
      });
    const source = new DrainableSource(job.source({ signal, emit }));
    try {
      return await this.#apply(source, key, { name: digest, compression, expectedDiffId: job.diffId, signal });
    } catch (error) {
      // Bytes that are not the blob's are the cause of whatever is wrong in them.
      const isContent = isCode(error, 'DataLoss') || isCode(error, 'InvalidArgument') || isCode(error, 'Unimplemented');
      if (isContent && !signal.aborted && size - source.bytes <= drainLimitBytes) await source.drain();
      throw error;
    } finally {
      await source.close();
    }
  }

  async #apply(source: AsyncIterable<Uint8Array>, key: string, { signal, ...options }: ApplyHereOptions): Promise<AppliedLayer> {
    const { snapshots, openFileTree, limits } = this.#options;
    const { dir, whiteouts } = await snapshots.unpackTarget(key);
    const stoppable = signal === undefined ? {} : { signal };
    await using tree = await openFileTree(dir, stoppable);
    return await applyLayer(source, tree, { ...options, whiteouts, ...stoppable, ...(limits === undefined ? {} : { limits }) });
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
