import type { IncomingHttpHeaders } from 'node:http';
import { registryError } from '../errors.ts';
import type { AccessRules } from './access-rules.ts';
import type { Client, Gate } from './gate.ts';
import type { Passwords } from './passwords.ts';

const challenge = { 'WWW-Authenticate': 'Basic realm="strake registry", charset="UTF-8"' };

/** Users with passwords (RFC 7617), and rules about what each may do. */
export function basicGate(passwords: Passwords, rules: AccessRules): Gate {
  return {
    async identify({ headers }) {
      const credentials = basicCredentials(headers);
      if (credentials === undefined) return clientOf('', rules);
      if (await passwords.verify(credentials.user, credentials.password)) return clientOf(credentials.user, rules);
      throw registryError('UNAUTHORIZED', 'authentication required', { headers: challenge });
    },
    refusal: (_request, { name }, wanted) =>
      name === ''
        ? registryError('UNAUTHORIZED', 'authentication required', { headers: challenge })
        : registryError('DENIED', 'requested access to the resource is denied', { detail: wanted }),
  };
}

function clientOf(name: string, rules: AccessRules): Client {
  const isKnown = name !== '';
  return {
    name,
    mayEnter: isKnown,
    mayList: isKnown,
    may: (repository, action) => rules.may(name, repository, action),
    sees: (repository) => rules.may(name, repository, 'pull'),
  };
}

/** What a Basic header says; undefined when there is none, or it is unreadable. */
export function basicCredentials({ authorization = '' }: IncomingHttpHeaders): { readonly user: string; readonly password: string } | undefined {
  const encoded = /^basic +([A-Za-z0-9+/=]{1,4096})$/i.exec(authorization)?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString();
  const colon = text.indexOf(':');
  return colon < 1 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}
