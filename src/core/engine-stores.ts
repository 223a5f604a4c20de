import type { LocalCore } from './local-core.ts';

/** What the Engine needs of a core, wherever that is. */
export type EngineStores = Pick<
  LocalCore,
  'content' | 'images' | 'containers' | 'snapshots' | 'events' | 'leases' | 'unpacker' | 'layerLimits' | 'comparer' | 'collectGarbage' | 'restore' | 'flush'
>;
