import type { AppliedLayer } from '../diff/diff.ts';

/** A layer in a snapshot that has no name yet. */
export interface UnpackedLayer {
  readonly key: string;
  /** Chain id of the layer that it was unpacked over; undefined where it stands apart. */
  readonly over: string | undefined;
  readonly applied: AppliedLayer;
}
