import type { Action, Client } from '../auth/gate.ts';
import type { RegistryRequest, Reply } from '../http/message.ts';
import type { Target } from '../http/target.ts';
import type { Storage } from '../store/storage.ts';

export type TargetOf<Kind extends Target['kind']> = Extract<Target, { readonly kind: Kind }>;

export interface Endpoint<Kind extends Target['kind']> {
  /** What of a repository the client has to be allowed; `enter` and `list`: of the registry. */
  readonly action: Action | 'enter' | 'list';
  handle(storage: Storage, request: RegistryRequest, target: TargetOf<Kind>, client: Client): Promise<Reply>;
}
