import type { RegistryCredentials } from '../../images/index.ts';
import { asObject, optionalString } from '../../server/index.ts';

/** The X-Registry-Auth header: base64url of JSON. Docker ignores one that it cannot read, for old clients send nonsense; so does this. */
export function decodeRegistryAuth(header: string | readonly string[] | undefined): RegistryCredentials | undefined {
  if (typeof header !== 'string' || header === '') return undefined;
  try {
    const auth = asObject(JSON.parse(Buffer.from(header, 'base64url').toString('utf8')), 'X-Registry-Auth');
    const [user = '', ...rest] = Buffer.from(optionalString(auth, 'auth') ?? '', 'base64')
      .toString('utf8')
      .split(':');
    const username = optionalString(auth, 'username') || user;
    const password = optionalString(auth, 'password') || rest.join(':');
    const identityToken = optionalString(auth, 'identitytoken') ?? '';
    return username === '' && identityToken === '' ? undefined : { username, password, identityToken };
  } catch {
    return undefined;
  }
}
