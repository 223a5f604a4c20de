import type { Comparer, LayerLimits, OpenFileTree } from '../../core/index.ts';
import type { FetchTree, RegistrySettings } from '../../distribution/index.ts';
import type { Call } from '../call.ts';
import type { MessageStream, Streams } from '../streaming/streams.ts';
import type { Progress } from './progress.ts';

/** What is the same for all transfers. */
export interface TransferMeans {
  readonly streams: Streams;
  readonly openFileTree: OpenFileTree;
  readonly comparer: Comparer;
  readonly layerLimits: LayerLimits;
  /** What was acknowledged survives a power loss: called before an image is said to be there. */
  readonly flush: () => void;
  /** How registries are spoken to where the client does not say. */
  readonly registry: RegistrySettings;
  /** One for all transfers: what several want at once comes once. */
  readonly fetchTree: FetchTree;
  readonly uploads: number | undefined;
}

/** One transfer. */
export interface Transfer {
  readonly call: Call;
  readonly means: TransferMeans;
  readonly progress: Progress;
}

/** A stream that the client has opened. NotFound when it has not. */
export function streamOf({ call, means }: Transfer, name: string): MessageStream {
  return means.streams.get(call.stores.namespace, name);
}
