import { type Credentials, credentialsOf } from '../../../distribution/index.ts';
import { asObject, optionalString } from '../../server/index.ts';

const fields = ['username', 'password', 'auth', 'identitytoken', 'registrytoken'] as const;

/** The X-Registry-Auth header: base64url of JSON. Docker ignores one that it cannot read, for old clients send nonsense; so does this. */
export function decodeRegistryAuth(header: string | readonly string[] | undefined): Credentials | undefined {
  if (typeof header !== 'string' || header === '') return undefined;
  try {
    const auth = asObject(JSON.parse(Buffer.from(header, 'base64url').toString('utf8')), 'X-Registry-Auth');
    const texts = fields.map((name) => [name, optionalString(auth, name)] as const).filter(([, text]) => text !== undefined);
    return credentialsOf(Object.fromEntries(texts));
  } catch {
    return undefined;
  }
}
