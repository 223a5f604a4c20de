import { StrakeError } from '../../base/index.ts';
import type { TlsSettings } from '../http/tls.ts';
import { type DirectoryHosts, readHostDirectory } from './host-directory.ts';
import { isInsecure } from './insecure.ts';
import { type HostResolver, hostCapabilities, type RegistryHost } from './registry-host.ts';

/** How registries are found and spoken to. */
export interface HostSettings {
  /** Hosts (`name`, `name:port`), networks (`10.0.0.0/8`) or `*` that may be spoken to without TLS, or with any certificate. Loopback always may, as with docker. */
  readonly insecureRegistries?: readonly string[] | undefined;
  /** URLs of mirrors of the Hub, docker's registry-mirrors. */
  readonly mirrors?: readonly string[] | undefined;
  /** Directories with a folder for a host: hosts.toml as containerd reads it, or docker's certificates. The first that has the folder counts. */
  readonly configDirectories?: readonly string[] | undefined;
  /** Sent to the registry itself with every request, and to no mirror. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** A mirror that is down must not hold the pull up for long: containerd's and docker's time for a connection. */
const mirrorDialTimeoutMs = 30_000;
const hub = 'docker.io';
/** Where the Hub's registry is. */
const hubHost = 'registry-1.docker.io';

/** Reads the configuration anew for every domain that is asked for: a change needs no restart. */
export function createHostResolver({ insecureRegistries = [], mirrors = [], configDirectories = [], headers = {} }: HostSettings): HostResolver {
  return async (domain) => {
    const base = registryUrl(domain);
    const insecure = isInsecure(domain, insecureRegistries) || isInsecure(base.host, insecureRegistries);
    const own: RegistryHost = {
      base,
      mayBePlain: insecure,
      capabilities: new Set(hostCapabilities),
      tls: { verify: !insecure },
      headers,
      isMirror: false,
    };
    const found = await readHostDirectory(configDirectories, domain);
    const hosts = found === undefined ? [own] : combine(found, own);
    return domain === hub ? [...mirrors.map((mirror) => mirrorHost(mirror, insecureRegistries)), ...hosts] : hosts;
  };
}

/** Where a registry is unless a configuration says otherwise. InvalidArgument for what only looks like a host, such as a port beyond 65535. */
export function registryUrl(domain: string): URL {
  const url = URL.parse(`https://${domain === hub ? hubHost : domain}/v2/`);
  if (url === null)
    throw new StrakeError('InvalidArgument', `${JSON.stringify(domain)} is not the address of a registry`, { fields: { layer: 'distribution' } });
  return url;
}

function combine(found: DirectoryHosts, own: RegistryHost): readonly RegistryHost[] {
  if (found.kind === 'certificates') return [{ ...own, tls: withCertificates(own.tls, found.tls) }];
  const { base, ...server } = found.server;
  const registry: RegistryHost =
    base === undefined
      ? // Without `server` the registry is where its name says, and can do all.
        { ...own, ...server, capabilities: own.capabilities, tls: withCertificates(own.tls, server.tls), headers: { ...own.headers, ...server.headers } }
      : { ...server, base, mayBePlain: false, isMirror: false, headers: { ...own.headers, ...server.headers } };
  const hosts = found.hosts.map((host): RegistryHost => {
    const at = host.base ?? own.base;
    return { dialTimeoutMs: mirrorDialTimeoutMs, ...host, base: at, mayBePlain: false, isMirror: at.host !== registry.base.host && at.host !== own.base.host };
  });
  return [...hosts, registry];
}

function withCertificates(tls: TlsSettings, more: TlsSettings): TlsSettings {
  return { ...tls, ...more, verify: tls.verify && more.verify };
}

/** docker's mirrors are asked for everything but pushes. */
function mirrorHost(text: string, insecureRegistries: readonly string[]): RegistryHost {
  const url = new URL(text);
  return {
    base: new URL(`${url.pathname.replace(/\/*$/, '')}/v2/`, url),
    mayBePlain: false,
    dialTimeoutMs: mirrorDialTimeoutMs,
    capabilities: new Set(['pull', 'resolve']),
    tls: { verify: !isInsecure(url.host, insecureRegistries) },
    headers: {},
    isMirror: true,
  };
}
