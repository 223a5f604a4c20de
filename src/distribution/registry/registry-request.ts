import type { HostCapability } from '../hosts/registry-host.ts';
import type { HttpMethod, HttpRequest } from '../http/request.ts';

/** One request to a registry, whichever host answers it. */
export interface RegistryRequest {
  /** Below `/v2/` (`app/manifests/latest`, '' for the registry itself), or where an earlier answer of the same host led. */
  readonly target: string | URL;
  /** What the host must be able to do. */
  readonly capability: HostCapability;
  /** As the token specification writes it: `repository:app:pull`. */
  readonly scopes: readonly string[];
  readonly method?: HttpMethod;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: HttpRequest['body'];
  /** Statuses that are answers; all others are thrown as errors. */
  readonly accept?: readonly number[];
  readonly signal?: AbortSignal | undefined;
}

export const pullScope = (repository: string): string => `repository:${repository}:pull`;
export const pushScope = (repository: string): string => `repository:${repository}:pull,push`;
