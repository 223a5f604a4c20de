import type { Lease } from '../garbage/leases.ts';
import { DrainableSource } from './drainable-source.ts';
import type { LayerUnpacker } from './layer-unpacker.ts';
import { type ArrivingLayer, type OnLayer, readAway } from './on-layer.ts';
import type { UnpackedLayer } from './unpacked-layer.ts';

export interface LayersAheadOptions {
  readonly unpacker: LayerUnpacker;
  /** Holds what is unpacked. */
  readonly lease: Lease;
  /** What all of them lie over, where that is known: a chain id, or nothing. */
  readonly parent?: { readonly chainId: string | undefined } | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Layers that are unpacked while their blobs are stored, before it is known which image has them: what comes is read once. Those that no image has had when this
 * ends go with it.
 */
export class LayersAhead implements AsyncDisposable {
  readonly #options: LayersAheadOptions;
  readonly #layers = new Map<string, UnpackedLayer>();

  constructor(options: LayersAheadOptions) {
    this.#options = options;
  }

  /**
   * That it is no layer, or cannot be unpacked, is no error here: whoever wants it unpacks the stored blob,
   * and says what is wrong with it.
   */
  readonly unpack: OnLayer = async (layer) => {
    const { unpacker, parent } = this.#options;
    await (parent === undefined && !unpacker.unpacksApart ? readAway(layer) : this.#unpack(layer));
  };

  async #unpack({ bytes, compression, digest }: ArrivingLayer): Promise<void> {
    const { unpacker, lease, parent, signal } = this.#options;
    const source = new DrainableSource(bytes);
    try {
      const layer = await unpacker.unpackAhead(source, {
        compression,
        knownDiffId: compression === 'none' ? digest : undefined,
        parent: parent?.chainId,
        lease,
        signal,
      });
      const { diffId } = layer.applied;
      if (this.#layers.has(diffId)) await unpacker.discard(layer);
      else this.#layers.set(diffId, layer);
    } catch {
      signal?.throwIfAborted();
      await source.drain();
    } finally {
      await source.close();
    }
  }

  /** Undefined when there is none. Once: it is the caller's from then on. */
  take(diffId: string): UnpackedLayer | undefined {
    const layer = this.#layers.get(diffId);
    this.#layers.delete(diffId);
    return layer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const layer of this.#layers.values()) await this.#options.unpacker.discard(layer);
    this.#layers.clear();
  }
}
