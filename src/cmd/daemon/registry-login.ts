import { StrakeError } from '../../base/index.ts';
import { checkLogin, credentialsOf, type RegistrySettings } from '../../distribution/index.ts';
import type { EngineOptions } from '../../engine/index.ts';

/** `POST /auth`: whether the registry takes the credentials. There is no token for the client: it keeps what it sent. */
export function registryLogin(settings: RegistrySettings): EngineOptions['registry']['login'] {
  return async ({ serverAddress, username, password, identityToken }, signal) => {
    const credentials = credentialsOf({ username, password, identitytoken: identityToken });
    if (credentials === undefined) throw new StrakeError('InvalidArgument', 'login needs a user name or a token');
    await checkLogin({ ...settings, domain: registryDomain(serverAddress), credentials, signal });
    return { identityToken: '' };
  };
}

/** A registry as `docker login` names it: a host, a URL, or nothing for the Hub. */
export function registryDomain(serverAddress: string): string {
  const host = serverAddress
    .trim()
    .replace(/^https?:\/\//, '')
    .replace(/\/.*$/s, '')
    .toLowerCase();
  if (['', 'index.docker.io', 'registry-1.docker.io', 'docker.io'].includes(host)) return 'docker.io';
  if (!/^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(?::\d{1,5})?$/.test(host))
    throw new StrakeError('InvalidArgument', `${JSON.stringify(serverAddress.slice(0, 200))} is not the address of a registry`);
  return host;
}
