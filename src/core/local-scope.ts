import type { EventBus } from './events/events.ts';
import type { MetadataDatabase } from './metadata/index.ts';

/** What the local stores of one namespace work with. */
export interface LocalScope {
  readonly db: MetadataDatabase;
  readonly namespace: string;
  readonly now: () => Date;
  /** Of this namespace. */
  readonly events: Pick<EventBus, 'publish'>;
  /** Makes the namespace, before the first thing is stored in it. */
  readonly enter: () => void;
  /** Something was removed: what it alone kept may be garbage. */
  readonly removed: () => void;
}
