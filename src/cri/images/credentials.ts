import type { criImages } from '../../api/cri/index.ts';
import { type Credentials, credentialsOf } from '../../distribution/index.ts';
import type { Reference } from '../../oci/index.ts';

/** What docker calls the Hub in its files of credentials; the kubelet passes it on. */
const hubHosts: ReadonlySet<string> = new Set(['index.docker.io', 'registry-1.docker.io', 'docker.io']);

/** What a pull says of its user; undefined when it says nothing, or speaks of another registry than the image's. */
export function pullCredentials(auth: criImages.AuthConfig | undefined, { domain }: Reference): Credentials | undefined {
  if (auth === undefined || !isFor(auth.serverAddress, domain)) return undefined;
  const { username, password, identityToken: identitytoken, registryToken: registrytoken } = auth;
  return credentialsOf({ username, password, identitytoken, registrytoken, auth: auth.auth });
}

/** A server's address is a host, or a URL of it. Without one, the credentials are for whatever is pulled. */
function isFor(serverAddress: string, domain: string): boolean {
  if (serverAddress === '') return true;
  const host = serverAddress.replace(/^[a-z]+:\/\//, '').replace(/\/.*$/, '');
  return host === domain || (hubHosts.has(host) && hubHosts.has(domain));
}
