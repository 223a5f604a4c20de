import type { RegistryRequest } from '../http/message.ts';

/** Something that a client did to content. */
export interface ContentEvent {
  readonly action: 'push' | 'pull' | 'mount' | 'delete';
  readonly repository: string;
  readonly digest?: string | undefined;
  readonly tag?: string | undefined;
  readonly mediaType?: string;
  readonly sizeBytes?: number;
  /** of a mount */
  readonly fromRepository?: string;
}

/** Told of what happened, after the fact. Has to return at once. */
export type OnContentEvent = (event: ContentEvent, request: RegistryRequest, user: string) => void;
