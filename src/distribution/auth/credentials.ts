import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { errorMessage, StrakeError } from '../../base/index.ts';

/** What a registry knows a user by. `identityToken`: a refresh token of OAuth2; `registryToken`: a bearer token that is sent as it is. */
export type Credentials =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  | { readonly kind: 'identity-token'; readonly token: string }
  | { readonly kind: 'registry-token'; readonly token: string };

/** Finds the credentials for a registry host such as `docker.io` or `localhost:5000`; undefined: anonymous. */
export type CredentialSource = (host: string) => Promise<Credentials | undefined>;

/** Docker names the Hub so in its files (moby registry: IndexServer). */
const hubKey = 'https://index.docker.io/v1/';
const maxHelperBytes = 1 << 20;
const maxConfigBytes = 4 << 20;

interface DockerConfig {
  readonly auths?: Readonly<Record<string, AuthEntry>>;
  readonly credHelpers?: Readonly<Record<string, string>>;
  readonly credsStore?: string;
}

interface AuthEntry {
  readonly auth?: string;
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
  readonly registrytoken?: string;
}

/** Credentials as docker keeps them: config.json of `$DOCKER_CONFIG` or ~/.docker, with helper programs per host or for all. */
export function dockerConfigCredentials(directory = process.env['DOCKER_CONFIG'] ?? path.join(homedir(), '.docker')): CredentialSource {
  return async (host) => {
    const config = await readConfig(path.join(directory, 'config.json'));
    const keys = host === 'docker.io' ? [hubKey, 'docker.io', 'index.docker.io'] : [host, `https://${host}`, `https://${host}/`, `http://${host}`];
    const helper = keys.map((key) => own(config.credHelpers, key)).find((name) => name !== undefined) ?? config.credsStore;
    if (helper) {
      const found = await askHelper(helper, keys[0] ?? host);
      if (found) return found;
    }
    for (const key of keys) {
      const entry = own(config.auths, key);
      const credentials = entry === undefined ? undefined : credentialsOf(entry);
      if (credentials) return credentials;
    }
    return undefined;
  };
}

/** The decoded JSON of docker's X-Registry-Auth header, or an entry of `auths`; undefined when it says nothing. */
export function credentialsOf(entry: AuthEntry): Credentials | undefined {
  if (entry.registrytoken) return { kind: 'registry-token', token: entry.registrytoken };
  if (entry.identitytoken) return { kind: 'identity-token', token: entry.identitytoken };
  if (entry.username) return { kind: 'password', username: entry.username, password: entry.password ?? '' };
  if (!entry.auth) return undefined;
  const decoded = Buffer.from(entry.auth, 'base64').toString();
  const colon = decoded.indexOf(':');
  if (colon < 1) return undefined;
  return { kind: 'password', username: decoded.slice(0, colon), password: decoded.slice(colon + 1).replace(/\0+$/, '') };
}

async function readConfig(file: string): Promise<DockerConfig> {
  try {
    const text = await readFile(file, 'utf8');
    if (text.length > maxConfigBytes) throw new Error(`larger than ${maxConfigBytes} bytes`);
    return JSON.parse(text) as DockerConfig;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new StrakeError('InvalidArgument', `${file}: ${errorMessage(cause)}`, { cause, fields: { layer: 'distribution' } });
  }
}

/** docker-credential-helpers' protocol: the server on stdin, JSON on stdout. That it knows none is said in words only. */
async function askHelper(name: string, server: string): Promise<Credentials | undefined> {
  if (!/^[\w.-]+$/.test(name))
    throw new StrakeError('InvalidArgument', `credential helper ${JSON.stringify(name)} is not a name`, { fields: { layer: 'distribution' } });
  const program = `docker-credential-${name}`;
  const child = spawn(program, ['get'], { stdio: ['pipe', 'pipe', 'ignore'] });
  const exited = Promise.withResolvers<number | null>();
  child.on('error', exited.reject).on('close', exited.resolve);
  // A helper that does not read its input has ended already, which its status tells.
  child.stdin.on('error', () => undefined);
  child.stdin.end(server);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    if (output.length > maxHelperBytes) child.kill('SIGKILL');
  });
  try {
    if ((await exited.promise) !== 0) {
      if (/credentials not found/.test(output)) return undefined;
      throw new Error(output.trim().slice(0, 200));
    }
    const { Username, Secret } = JSON.parse(output) as { readonly Username?: string; readonly Secret?: string };
    if (!Secret) return undefined;
    if (Username === '<token>') return { kind: 'identity-token', token: Secret };
    return { kind: 'password', username: Username ?? '', password: Secret };
  } catch (cause) {
    throw new StrakeError('Unauthenticated', `credential helper ${program}: ${errorMessage(cause)}`, { cause, fields: { layer: 'distribution' } });
  }
}

/** A host from outside is looked up as an own property only. */
function own<T>(record: Readonly<Record<string, T>> | undefined, key: string): T | undefined {
  return record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined;
}

/** The Authorization header of RFC 7617. */
export function basicHeader({ username, password }: { readonly username: string; readonly password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}
