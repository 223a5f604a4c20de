import { type LogLevel, logLevels } from '../../base/index.ts';
import type { FlagTable, FlagValues } from '../../cli/flags/flags.ts';
import { formatFlags } from '../../cli/flags/help.ts';
import { parseFlags } from '../../cli/flags/parse.ts';
import { UsageError } from '../../cli/usage-error.ts';
import { oneOf } from '../flag-values.ts';

export interface RegistryFlags {
  readonly address: HostPort;
  readonly root: string;
  readonly readOnly: boolean;
  readonly tls: { readonly certificateFile: string; readonly keyFile: string } | undefined;
  readonly auth: AuthFlags;
  readonly proxy: ProxyFlags | undefined;
  readonly garbage: GarbageFlags;
  /** Webhooks that are told of every push, pull, mount and delete. */
  readonly notify: readonly URL[];
  /** Where Prometheus asks: an address of its own, as whoever reaches it needs no password. */
  readonly metricsAddress: HostPort | undefined;
  readonly logLevel: LogLevel;
  readonly logFormat: 'text' | 'json';
  readonly readyFd: number | undefined;
  readonly help: boolean;
}

/** The registry that this one is a cache of. */
export interface ProxyFlags {
  readonly domain: string;
  readonly insecure: boolean;
  readonly user: string | undefined;
  readonly passwordFile: string | undefined;
  /** undefined: for ever */
  readonly lifeMs: number | undefined;
}

export interface GarbageFlags {
  /** undefined: never */
  readonly intervalMs: number | undefined;
  readonly graceMs: number;
  readonly uploadLifeMs: number;
  readonly untagged: boolean;
}

/** How clients show who they are. */
export type AuthFlags =
  | { readonly kind: 'open' }
  | { readonly kind: 'basic'; readonly htpasswdFile: string; readonly accessFile: string | undefined }
  /** Tokens that this registry gives out itself. */
  | {
      readonly kind: 'token';
      readonly htpasswdFile: string;
      readonly accessFile: string | undefined;
      readonly service: string;
      readonly realm: string | undefined;
    }
  /** Tokens of somebody else, known by their key. */
  | { readonly kind: 'foreign-token'; readonly keyFile: string; readonly service: string; readonly issuer: string; readonly realm: string };

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

const table = {
  addr: { kind: 'string', value: 'HOST:PORT', help: 'Address to listen on (default "127.0.0.1:5000"); no host: all addresses' },
  root: { kind: 'string', value: 'DIR', help: 'Directory of all that is stored (default "/var/lib/strake-registry")' },
  'read-only': { kind: 'bool', help: 'Serve what is there; nothing can be pushed or deleted' },
  'tls-cert': { kind: 'string', value: 'FILE', help: 'Certificate with its chain (PEM): serve HTTPS' },
  'tls-key': { kind: 'string', value: 'FILE', help: 'Key of the certificate (PEM)' },
  auth: { kind: 'string', help: '"basic" (default with --htpasswd) or "token"' },
  htpasswd: { kind: 'string', value: 'FILE', help: 'Users and the bcrypt hashes of their passwords' },
  access: { kind: 'string', value: 'FILE', help: 'Rules USER PATTERN ACTIONS: who may do what; without it, all users everything' },
  'token-realm': { kind: 'string', value: 'URL', help: 'Where tokens are to be had (default: here, at /token)' },
  'token-service': { kind: 'string', value: 'NAME', help: 'Name of this registry in tokens (default "strake-registry")' },
  'token-issuer': { kind: 'string', value: 'NAME', help: 'Who gives out the tokens, with --token-key' },
  'token-key': { kind: 'string', value: 'FILE', help: 'Public key or certificate (PEM) of another token server' },
  proxy: { kind: 'string', value: 'URL', help: 'Be a cache of this registry; nothing can be pushed' },
  'proxy-user': { kind: 'string', value: 'NAME', help: 'User there' },
  'proxy-password-file': { kind: 'string', value: 'FILE', help: "File with the user's password" },
  'proxy-life': { kind: 'string', value: 'TIME', help: 'What was brought is forgotten after this time (default "7d"); "0": never' },
  'gc-interval': { kind: 'string', value: 'TIME', help: 'Pause between garbage collections, such as 30m (default "1h"); "0": none' },
  'gc-grace': { kind: 'string', value: 'TIME', help: 'Age at which what nothing leads to is garbage (default "1h")' },
  'gc-untagged': { kind: 'bool', help: 'Manifests without a tag are garbage, unless an index or a subject keeps them' },
  'upload-life': { kind: 'string', value: 'TIME', help: 'An upload that nobody goes on with is forgotten after this time (default "24h")' },
  notify: { kind: 'list', value: 'URL', help: "Webhook that gets events in the form of distribution's registry, repeatable" },
  'metrics-addr': { kind: 'string', value: 'HOST:PORT', help: 'Address of /metrics for Prometheus, open to whoever reaches it' },
  'log-level': { kind: 'string', help: '"debug", "info", "warn" or "error" (default "info")' },
  'log-format': { kind: 'string', help: '"text" or "json" (default "text")' },
  'ready-fd': { kind: 'int', help: 'Descriptor that gets one line once the registry listens' },
} as const satisfies FlagTable;

export function parseRegistryFlags(argv: readonly string[]): RegistryFlags {
  const { values, args, help } = parseFlags(table, argv, { stopAtArgument: false });
  if (args.length > 0) throw new UsageError(`unexpected argument ${JSON.stringify(args[0])}`);
  const root = values.root ?? '/var/lib/strake-registry';
  if (!root.startsWith('/')) throw new UsageError('--root must be an absolute path');
  return {
    address: hostPort('addr', values.addr ?? '127.0.0.1:5000'),
    root,
    readOnly: values['read-only'],
    tls: tlsFlags(values),
    auth: authFlags(values),
    proxy: proxyFlags(values),
    garbage: {
      intervalMs: duration('gc-interval', values['gc-interval'] ?? '1h') || undefined,
      graceMs: duration('gc-grace', values['gc-grace'] ?? '1h'),
      uploadLifeMs: duration('upload-life', values['upload-life'] ?? '24h'),
      untagged: values['gc-untagged'],
    },
    notify: values.notify.map((text) => httpUrl('notify', text)),
    metricsAddress: values['metrics-addr'] === undefined ? undefined : hostPort('metrics-addr', values['metrics-addr']),
    logLevel: oneOf('log-level', values['log-level'] ?? 'info', logLevels),
    logFormat: oneOf('log-format', values['log-format'] ?? 'text', ['text', 'json'] as const),
    readyFd: values['ready-fd'],
    help,
  };
}

export function registryUsage(): string {
  return `Usage:  strake registry [OPTIONS]\n\nServe images to others, as a registry (OCI distribution-spec 1.1)\n\nOptions:\n${formatFlags(table)}`;
}

type Values = FlagValues<typeof table>;

function tlsFlags(values: Values): RegistryFlags['tls'] {
  const { 'tls-cert': certificateFile, 'tls-key': keyFile } = values;
  if (certificateFile === undefined && keyFile === undefined) return undefined;
  if (certificateFile === undefined || keyFile === undefined) throw new UsageError('--tls-cert and --tls-key belong together');
  return { certificateFile, keyFile };
}

function authFlags(values: Values): AuthFlags {
  const { htpasswd: htpasswdFile, access: accessFile, 'token-key': keyFile, 'token-realm': realm, 'token-issuer': issuer } = values;
  const service = values['token-service'] ?? 'strake-registry';
  if (!/^[\w.:/ -]{1,128}$/.test(service)) throw new UsageError(`invalid value ${JSON.stringify(service)} for --token-service`);
  if (realm !== undefined && !/^https?:\/\/[^\s"\\]+$/.test(realm))
    throw new UsageError(`invalid value ${JSON.stringify(realm)} for --token-realm: must be a URL`);
  const kind = oneOf('auth', values.auth ?? (keyFile === undefined ? 'basic' : 'token'), ['basic', 'token'] as const);
  if (keyFile !== undefined) {
    if (kind !== 'token' || realm === undefined || issuer === undefined || htpasswdFile !== undefined || accessFile !== undefined)
      throw new UsageError('--token-key goes with --token-realm and --token-issuer, without --htpasswd and --access');
    return { kind: 'foreign-token', keyFile, service, issuer, realm };
  }
  if (issuer !== undefined) throw new UsageError('--token-issuer goes with --token-key');
  if (htpasswdFile === undefined) {
    if (values.auth !== undefined || accessFile !== undefined || realm !== undefined)
      throw new UsageError('--auth, --access and --token-realm need --htpasswd');
    return { kind: 'open' };
  }
  if (kind === 'token') return { kind, htpasswdFile, accessFile, service, realm };
  if (realm !== undefined) throw new UsageError('--token-realm goes with --auth token');
  return { kind, htpasswdFile, accessFile };
}

function proxyFlags(values: Values): ProxyFlags | undefined {
  const { proxy, 'proxy-user': user, 'proxy-password-file': passwordFile } = values;
  if (proxy === undefined) {
    if (user !== undefined || passwordFile !== undefined || values['proxy-life'] !== undefined)
      throw new UsageError('--proxy-user, --proxy-password-file and --proxy-life need --proxy');
    return undefined;
  }
  const { protocol, host, pathname, search, username } = httpUrl('proxy', proxy);
  if (pathname !== '/' || search !== '' || username !== '') throw new UsageError('--proxy must be a URL of a host alone');
  if ((user === undefined) !== (passwordFile === undefined)) throw new UsageError('--proxy-user and --proxy-password-file belong together');
  const domain = host === 'registry-1.docker.io' ? 'docker.io' : host;
  return { domain, insecure: protocol === 'http:', user, passwordFile, lifeMs: duration('proxy-life', values['proxy-life'] ?? '7d') || undefined };
}

const unitsMs: Readonly<Record<string, number>> = { '': 1000, ms: 1, s: 1000, m: 60_000, h: 3600_000, d: 86_400_000 };
/** The longest time that a timer takes: 2^31 - 1 ms. */
const maxDurationMs = 2_147_483_647;

function duration(name: string, text: string): number {
  const match = /^(\d{1,9})(ms|s|m|h|d|)$/.exec(text);
  const ms = Number(match?.[1]) * (unitsMs[match?.[2] ?? ''] ?? 0);
  if (match === null || ms > maxDurationMs)
    throw new UsageError(`invalid value ${JSON.stringify(text)} for --${name}: must be a time such as 90s, 30m or 24h, up to 24d`);
  return ms;
}

function httpUrl(name: string, text: string): URL {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) throw new UsageError(`invalid value for --${name}: must be a URL of http or https`);
  return url;
}

function hostPort(name: string, text: string): HostPort {
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:/\s]*):(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (match === null || port > 65535) throw new UsageError(`invalid value ${JSON.stringify(text)} for --${name}: must be HOST:PORT`);
  return { host: (match[1] ?? '').replace(/^\[|\]$/g, ''), port };
}
