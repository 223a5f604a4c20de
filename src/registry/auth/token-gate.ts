import { registryError } from '../errors.ts';
import type { RegistryRequest } from '../http/message.ts';
import type { Client, Gate, Wanted } from './gate.ts';
import { formatScope, type Scope } from './scope.ts';
import type { TokenVerifier } from './token.ts';

export interface TokenGateOptions {
  readonly verifier: TokenVerifier;
  readonly service: string;
  /** Where tokens are to be had, for the client that sent this request. */
  readonly realm: (request: RegistryRequest) => string;
  /** Repositories that a user is shown in a listing; without it, all are. */
  readonly sees?: (user: string, repository: string) => boolean;
}

/** Without a token, only the door is seen. */
const nobody: Client = { name: '', mayEnter: false, mayList: false, may: () => false, sees: () => false };

/** Bearer tokens (RFC 6750) that say themselves what their holder may do (distribution's token specification). */
export function tokenGate({ verifier, service, realm, sees = () => true }: TokenGateOptions): Gate {
  const challenge = (request: RegistryRequest, scope: Scope | undefined, error: string) => ({
    'WWW-Authenticate': [
      `Bearer realm="${realm(request)}"`,
      `service="${service}"`,
      ...(scope === undefined ? [] : [`scope="${formatScope(scope)}"`]),
      ...(error === '' ? [] : [`error="${error}"`]),
    ].join(','),
  });
  return {
    async identify(request) {
      const token = /^bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
      if (token === undefined) return nobody;
      const claims = verifier.verify(token);
      if (claims === undefined) throw registryError('UNAUTHORIZED', 'authentication required', { headers: challenge(request, undefined, 'invalid_token') });
      const allows = (type: string, name: string, action: string) =>
        claims.access.some((entry) => entry.type === type && entry.name === name && (entry.actions.includes(action) || entry.actions.includes('*')));
      return {
        name: claims.sub,
        mayEnter: true,
        mayList: allows('registry', 'catalog', '*'),
        may: (repository, action) => allows('repository', repository, action),
        sees: (repository) => sees(claims.sub, repository),
      };
    },
    refusal: (request, client, wanted) =>
      registryError('UNAUTHORIZED', 'authentication required', {
        detail: wanted,
        headers: challenge(request, scopeOf(wanted), client === nobody ? '' : 'insufficient_scope'),
      }),
  };
}

function scopeOf({ repository, action }: Wanted): Scope | undefined {
  if (action === 'enter') return undefined;
  if (action === 'list' || repository === undefined) return { type: 'registry', name: 'catalog', actions: ['*'] };
  return { type: 'repository', name: repository, actions: action === 'push' ? ['pull', 'push'] : [action] };
}
