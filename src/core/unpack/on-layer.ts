import type { LayerCompression } from '../diff/diff.ts';

/** What may be a layer, while it is stored. */
export interface ArrivingLayer {
  readonly bytes: AsyncIterable<Uint8Array>;
  readonly compression: LayerCompression;
  /** Of `bytes`, once they are read to their end. */
  readonly digest: () => string;
}

/** Reads the bytes to their end, and throws what that throws and nothing else. */
export type OnLayer = (layer: ArrivingLayer) => Promise<void>;

/** For those who want a blob stored, and no more. */
export const readAway: OnLayer = async ({ bytes }) => {
  for await (const _ of bytes);
};
