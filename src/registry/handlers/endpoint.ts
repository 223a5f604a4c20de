import type { RegistryRequest, Reply } from '../http/message.ts';
import type { Target } from '../http/target.ts';
import type { Storage } from '../store/storage.ts';

/** What a request does to a repository. */
export type Action = 'pull' | 'push' | 'delete';

export interface Registry extends Storage {
  /** Whether the client of this request may do that: asked for what only the handler knows of, such as the source of a mount. */
  readonly mayAccess: (request: RegistryRequest, repository: string, action: Action) => Promise<boolean>;
}

export type TargetOf<Kind extends Target['kind']> = Extract<Target, { readonly kind: Kind }>;

export interface Endpoint<Kind extends Target['kind']> {
  /** undefined: nothing of a repository is touched. */
  readonly action: Action | undefined;
  handle(registry: Registry, request: RegistryRequest, target: TargetOf<Kind>): Promise<Reply>;
}
