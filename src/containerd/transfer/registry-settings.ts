import type { Any } from '@bufbuild/protobuf/wkt';
import { AuthRequestSchema, AuthResponseSchema, AuthType, type OCIRegistry } from '../../api/containerd/index.ts';
import { StrakeError, untilAborted } from '../../base/index.ts';
import { type Credentials, credentialsOf, type RegistrySettings } from '../../distribution/index.ts';
import { parseReference, type Reference, withDefaultTag } from '../../oci/index.ts';
import { packAny, unpackAny } from '../any.ts';
import { streamOf, type Transfer } from './transfers.ts';

/** An image of a registry, and how to speak to that. */
export interface RemoteImage {
  readonly reference: Reference;
  readonly registry: RegistrySettings;
  readonly credentials: Credentials | undefined;
}

/** A client that does not answer what its user is called. */
const authTimeoutMs = 60_000;

export async function remoteImage(transfer: Transfer, { reference: text, resolver }: OCIRegistry): Promise<RemoteImage> {
  const reference = withDefaultTag(parseReference(text));
  const { authStream = '', hostDir = '', defaultScheme = '', headers = {} } = resolver ?? {};
  const { registry } = transfer.means;
  return {
    reference,
    registry: {
      ...registry,
      headers,
      ...(hostDir === '' ? {} : { configDirectories: [hostDir] }),
      ...(defaultScheme === 'http' ? { insecureRegistries: [...(registry.insecureRegistries ?? []), reference.domain] } : {}),
    },
    credentials: authStream === '' ? undefined : await askCredentials(transfer, authStream, reference.domain, text),
  };
}

/** The client knows its users; it is asked once, at the beginning. */
async function askCredentials(transfer: Transfer, name: string, host: string, reference: string): Promise<Credentials | undefined> {
  const stream = streamOf(transfer, name);
  const timeout = AbortSignal.timeout(authTimeoutMs);
  const signal = AbortSignal.any([transfer.call.signal, timeout]);
  let answer: Any | undefined;
  try {
    await untilAborted(stream.send(packAny(AuthRequestSchema, { host, reference })), signal);
    answer = await untilAborted(stream.receive(), signal);
  } finally {
    stream.close();
  }
  const response = answer === undefined ? undefined : unpackAny(answer, AuthResponseSchema);
  if (response === undefined)
    throw new StrakeError('Unauthenticated', `the client did not say how ${host} knows its user`, { fields: { layer: 'containerd' } });
  const { authType, username, secret } = response;
  if (authType === AuthType.CREDENTIALS) return credentialsOf({ username, password: secret });
  if (authType === AuthType.REFRESH) return credentialsOf({ identitytoken: secret });
  return authType === AuthType.HEADER ? credentialsOfHeader(secret) : undefined;
}

/** Of the value of an Authorization header. */
function credentialsOfHeader(header: string): Credentials | undefined {
  const [, scheme = '', value = ''] = /^(\S+)\s+(\S+)\s*$/.exec(header) ?? [];
  return scheme.toLowerCase() === 'basic' ? credentialsOf({ auth: value }) : credentialsOf({ registrytoken: value });
}
