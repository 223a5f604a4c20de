import type { StrakeError } from '../../base/index.ts';
import type { RegistryRequest } from '../http/message.ts';

/** What a request does to a repository. */
export type Action = 'pull' | 'push' | 'delete';

/** Who asks, and what they may do. */
export interface Client {
  /** `''`: anonymous */
  readonly name: string;
  /** Whether they may see that there is a registry at all: clients learn from the refusal how to log in. */
  readonly mayEnter: boolean;
  /** Whether they may list repositories. */
  readonly mayList: boolean;
  may(repository: string, action: Action): boolean;
  /** Whether the repository is shown to them in listings. */
  sees(repository: string): boolean;
}

/** What a client asked for and may not do. */
export interface Wanted {
  /** undefined: the registry itself, or its catalogue. */
  readonly repository: string | undefined;
  readonly action: Action | 'enter' | 'list';
}

/** Decides about every request before it is looked at any further. */
export interface Gate {
  /** Throws UNAUTHORIZED for credentials that are wrong. */
  identify(request: RegistryRequest): Promise<Client>;
  /** UNAUTHORIZED with a challenge, or DENIED for who would get no further by logging in. */
  refusal(request: RegistryRequest, client: Client, wanted: Wanted): StrakeError;
}
