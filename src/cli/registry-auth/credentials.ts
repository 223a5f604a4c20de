import { spawnSync } from 'node:child_process';
import { StrakeError } from '../../base/index.ts';
import { parseReference } from '../../oci/index.ts';
import { type ConfigFile, configPath, readConfig, type StoredAuth, writeConfig } from './config-file.ts';

type Env = Readonly<Record<string, string | undefined>>;

export interface Credentials {
  readonly serverAddress: string;
  readonly username: string;
  readonly password: string;
  readonly identityToken: string;
}

/** Docker Hub by the name under which logins are kept. */
export const hubServer = 'https://index.docker.io/v1/';
/** What a helper gives as a user when the secret is an identity token (docker/docker-credential-helpers). */
const tokenUser = '<token>';
const helperTimeoutMs = 60_000;

/** Where logins are kept: docker's file, or the helper that it names for this registry. */
export class CredentialStore {
  readonly #env: Env;
  readonly file: string;
  readonly #config: ConfigFile;

  constructor(env: Env) {
    this.#env = env;
    this.file = configPath(env);
    this.#config = readConfig(this.file);
  }

  /** Nothing without a login. */
  get(server: string): Credentials | undefined {
    const helper = this.helper(server);
    return helper === undefined ? this.#stored(server) : this.#fromHelper(helper, server);
  }

  put(credentials: Credentials): void {
    const { serverAddress, username, password, identityToken } = credentials;
    const helper = this.helper(serverAddress);
    if (helper === undefined) {
      const auth: StoredAuth = {
        auth: Buffer.from(`${username}:${password}`).toString('base64'),
        ...(identityToken === '' ? {} : { identitytoken: identityToken }),
      };
      writeConfig(this.file, { ...this.#config, auths: { ...this.#config.auths, [serverAddress]: auth } });
      return;
    }
    const [user, secret] = identityToken === '' ? [username, password] : [tokenUser, identityToken];
    this.#runHelper(helper, 'store', JSON.stringify({ ServerURL: serverAddress, Username: user, Secret: secret }));
    writeConfig(this.file, { ...this.#config, auths: { ...this.#config.auths, [serverAddress]: {} } });
  }

  /** Whether there was one. */
  remove(server: string): boolean {
    const helper = this.helper(server);
    const known = Object.keys(this.#config.auths ?? {}).filter((key) => sameServer(key, server));
    if (helper !== undefined) this.#runHelper(helper, 'erase', server);
    if (known.length > 0) {
      const auths = Object.fromEntries(Object.entries(this.#config.auths ?? {}).filter(([key]) => !known.includes(key)));
      writeConfig(this.file, { ...this.#config, auths });
    }
    return known.length > 0 || helper !== undefined;
  }

  /** The helper program's last name; undefined: the file. */
  helper(server: string): string | undefined {
    return this.#config.credHelpers?.[hostOf(server)] ?? this.#config.credHelpers?.[server] ?? (this.#config.credsStore || undefined);
  }

  #stored(server: string): Credentials | undefined {
    const auths = this.#config.auths ?? {};
    const found = auths[server] ?? Object.entries(auths).find(([key]) => sameServer(key, server))?.[1];
    if (found?.auth === undefined && found?.identitytoken === undefined) return undefined;
    const text = Buffer.from(found.auth ?? '', 'base64')
      .toString('utf8')
      .replace(/\0+$/, '');
    const colon = text.indexOf(':');
    return {
      serverAddress: server,
      username: colon < 0 ? text : text.slice(0, colon),
      password: colon < 0 ? '' : text.slice(colon + 1),
      identityToken: found.identitytoken ?? '',
    };
  }

  #fromHelper(helper: string, server: string): Credentials | undefined {
    const answer = this.#runHelper(helper, 'get', server);
    if (answer === undefined) return undefined;
    const { Username: username = '', Secret: secret = '' } = JSON.parse(answer) as { readonly Username?: string; readonly Secret?: string };
    return username === tokenUser
      ? { serverAddress: server, username: '', password: '', identityToken: secret }
      : { serverAddress: server, username, password: secret, identityToken: '' };
  }

  /** What it says; undefined: it has nothing for this registry. */
  #runHelper(helper: string, verb: 'get' | 'store' | 'erase', input: string): string | undefined {
    if (!/^[\w.-]+$/.test(helper))
      throw new StrakeError('InvalidArgument', `${this.file}: credential helper ${JSON.stringify(helper)} is no name`, { fields: { layer: 'cli' } });
    const program = `docker-credential-${helper}`;
    const { status, stdout, error } = spawnSync(program, [verb], { input, encoding: 'utf8', timeout: helperTimeoutMs, env: this.#env as NodeJS.ProcessEnv });
    if (status === 0) return stdout;
    if (error === undefined && /credentials not found/i.test(stdout)) return undefined;
    throw new StrakeError('Unavailable', `credential helper ${program} ${verb}: ${error?.message ?? (stdout.trim() || `status ${status}`)}`, {
      fields: { layer: 'cli' },
    });
  }
}

/** The header that takes a login to the engine, for the registry of an image; none without a login. */
export function registryAuthHeader(image: string, env: Env): Readonly<Record<string, string>> {
  const domain = domainOf(image);
  if (domain === undefined) return {};
  const credentials = new CredentialStore(env).get(domain === 'docker.io' ? hubServer : domain);
  return credentials === undefined ? {} : { 'X-Registry-Auth': authHeaderText(credentials) };
}

/** Undefined for what is no name of an image: the engine says what is wrong with it. */
function domainOf(image: string): string | undefined {
  try {
    return parseReference(image).domain;
  } catch {
    return undefined;
  }
}

function authHeaderText({ serverAddress, username, password, identityToken }: Credentials): string {
  const auth = identityToken === '' ? { username, password, serveraddress: serverAddress } : { identitytoken: identityToken, serveraddress: serverAddress };
  return Buffer.from(JSON.stringify(auth)).toString('base64url');
}

/** `https://HOST/v1/` and `HOST` are one registry. */
function hostOf(server: string): string {
  return server.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
}

function sameServer(a: string, b: string): boolean {
  return hostOf(a) === hostOf(b);
}
