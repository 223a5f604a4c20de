import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { errorMessage, StrakeError } from '../../base/index.ts';
import type { TlsSettings } from '../http/tls.ts';
import { type HostEntry, parseHostsToml } from './hosts-toml.ts';
import type { RegistryHost } from './registry-host.ts';

/** What a directory says about a host: `base` undefined stands for the registry itself. */
export type DirectoryHost = Omit<RegistryHost, 'base' | 'mayBePlain' | 'isMirror'> & { readonly base: URL | undefined };

export type DirectoryHosts =
  | { readonly kind: 'hosts'; readonly hosts: readonly DirectoryHost[]; readonly server: DirectoryHost }
  | { readonly kind: 'certificates'; readonly tls: TlsSettings };

const maxFileBytes = 1 << 20;

/** Reads the first folder for the domain; undefined when there is none. What cannot be read is an error: a registry must not be spoken to in another way than is written. */
export async function readHostDirectory(roots: readonly string[], domain: string): Promise<DirectoryHosts | undefined> {
  for (const root of roots)
    for (const name of folderNames(domain)) {
      const directory = path.join(root, name);
      if (await isDirectory(directory)) return await readFolder(directory);
    }
  return undefined;
}

/** containerd's names: `host:port` or, for file systems without colons, `host_port_`; `_default` is for all that have none. */
function folderNames(domain: string): readonly string[] {
  const colon = domain.lastIndexOf(':');
  const names = colon > 0 && !domain.endsWith(']') ? [`${domain.slice(0, colon)}_${domain.slice(colon + 1)}_`, domain] : [domain];
  return [...names, '_default'];
}

async function readFolder(directory: string): Promise<DirectoryHosts> {
  const file = path.join(directory, 'hosts.toml');
  const names = await readdir(directory);
  const text = names.includes('hosts.toml') ? await readText(file) : '';
  if (text === '') return { kind: 'certificates', tls: await readCertificates(directory, names) };
  const { hosts, server } = parseHostsToml(text, file);
  const read = async (entry: HostEntry) => await readHost(entry, directory);
  return { kind: 'hosts', hosts: await Promise.all(hosts.map(read)), server: await read(server) };
}

async function readHost(
  { base, capabilities, headers, skipVerify, authorityFiles, clientFiles, dialTimeoutMs }: HostEntry,
  directory: string,
): Promise<DirectoryHost> {
  const texts = async (files: readonly string[]) => await Promise.all(files.map(async (name) => await readText(path.resolve(directory, name))));
  const [certificate, key = certificate] = await texts(clientFiles ?? []);
  return {
    base,
    capabilities,
    headers,
    tls: {
      verify: !skipVerify,
      authorities: await texts(authorityFiles),
      ...(certificate === undefined || key === undefined ? {} : { client: { certificate, key } }),
    },
    ...(dialTimeoutMs === undefined ? {} : { dialTimeoutMs }),
  };
}

/** docker's folder: authorities are `*.crt`, a client's certificate is `*.cert` with a `*.key` of the same name. */
async function readCertificates(directory: string, names: readonly string[]): Promise<TlsSettings> {
  const read = async (name: string) => await readText(path.join(directory, name));
  const authorities = await Promise.all(names.filter((name) => name.endsWith('.crt')).map(read));
  const certificate = names.find((name) => name.endsWith('.cert'));
  if (certificate === undefined) return { verify: true, authorities };
  const key = certificate.replace(/\.cert$/, '.key');
  if (!names.includes(key))
    throw new StrakeError('InvalidArgument', `${path.join(directory, certificate)}: there is no ${key} beside it`, { fields: { layer: 'distribution' } });
  return { verify: true, authorities, client: { certificate: await read(certificate), key: await read(key) } };
}

async function readText(file: string): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size > maxFileBytes) throw new Error(`larger than ${maxFileBytes} bytes`);
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new StrakeError('InvalidArgument', `${file}: ${errorMessage(cause)}`, { cause, fields: { layer: 'distribution' } });
  }
}

async function isDirectory(file: string): Promise<boolean> {
  try {
    return (await stat(file)).isDirectory();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}
