/** dockerd's names for the daemon's settings. A flag that is not served is refused: to ignore one silently would change what root runs. */
import { type LogLevel, logLevels, StrakeError } from '../../base/index.ts';
import type { SnapshotterName } from '../../core/index.ts';
import type { ProxySettings } from '../../distribution/index.ts';

export interface DaemonFlags {
  readonly dataRoot: string;
  readonly execRoot: string;
  readonly hosts: readonly string[];
  readonly debug: boolean;
  readonly logLevel: LogLevel;
  readonly logFormat: 'text' | 'json';
  readonly group: string;
  readonly pidFile: string | undefined;
  readonly bridge: string | undefined;
  readonly bip: string | undefined;
  /** How registries are found and spoken to; the defaults of distribution where absent. */
  readonly registries: {
    readonly insecureRegistries: readonly string[];
    readonly mirrors: readonly string[];
    readonly configDirectories: readonly string[];
    readonly attempts?: number;
  };
  /** Instead of the environment's. */
  readonly proxies: ProxySettings;
  /** Layers that are fetched, and blobs that are sent, at once; docker's 3 and 5 where absent. */
  readonly transfers: { readonly downloads?: number; readonly uploads?: number };
  readonly labels: readonly string[];
  readonly snapshotter: SnapshotterName;
  /** Socket of another containerd that has the images and runs the containers; in process where absent. */
  readonly containerd: string | undefined;
  /** Other runtimes that containers may have: paths of commands by their names. */
  readonly addedRuntimes: Readonly<Record<string, string>>;
  /** One of those, `runc`, or what another containerd has, in its words. */
  readonly defaultRuntime: string;
  /** Bounds of an image's layers; the defaults of core where absent. */
  readonly layerLimits: { readonly bytes?: number; readonly expansion?: number };
  /** A descriptor that gets one line once the daemon listens: how the command line waits for the daemon that it started. */
  readonly readyFd: number | undefined;
  /** Where containerd's API is served too. */
  readonly containerdSocket: string | undefined;
  readonly help: boolean;
}

interface FlagDefinition {
  readonly name: string;
  readonly short?: string;
  readonly kind: 'boolean' | 'string' | 'strings';
  readonly usage: string;
}

/** Our own folder, and those of containerd and docker: what is set up for them holds for us. */
const registryConfig = '/etc/strake/certs.d:/etc/containerd/certs.d:/etc/docker/certs.d';

const definitions: readonly FlagDefinition[] = [
  { name: 'add-runtime', kind: 'strings', usage: 'Another OCI runtime that containers may have, NAME=PATH, repeatable' },
  { name: 'bip', kind: 'string', usage: 'IPv4 address and prefix of the default bridge, such as 172.17.0.1/16' },
  { name: 'bridge', short: 'b', kind: 'string', usage: 'Name of the default bridge' },
  { name: 'containerd', kind: 'string', usage: 'Socket of a containerd that has the images and runs the containers (default: none, in process)' },
  { name: 'containerd-listen', kind: 'string', usage: "Unix socket at which containerd's API is served too: namespace moby is the engine's (default: none)" },
  { name: 'data-root', kind: 'string', usage: 'Root directory of persistent state (default "/var/lib/strake")' },
  { name: 'debug', short: 'D', kind: 'boolean', usage: 'Log at level debug' },
  {
    name: 'default-runtime',
    kind: 'string',
    usage: 'Runtime of containers that ask for none: one that was added, or what --containerd knows (default "runc": ours)',
  },
  { name: 'exec-root', kind: 'string', usage: 'Root directory of execution state (default "/run/strake")' },
  { name: 'group', short: 'G', kind: 'string', usage: 'Group of the unix socket (default: root only)' },
  { name: 'help', short: 'h', kind: 'boolean', usage: 'Print this' },
  { name: 'host', short: 'H', kind: 'strings', usage: 'Socket to listen on, repeatable (default "unix://EXEC-ROOT/strake.sock")' },
  { name: 'http-proxy', kind: 'string', usage: 'Proxy for registries over http (default: the environment’s HTTP_PROXY)' },
  { name: 'https-proxy', kind: 'string', usage: 'Proxy for registries over https (default: HTTPS_PROXY)' },
  { name: 'insecure-registry', kind: 'strings', usage: 'Registry host to talk plain HTTP or unverified TLS with, repeatable' },
  { name: 'label', kind: 'strings', usage: 'Label of the daemon, key=value, repeatable' },
  { name: 'live-restore', kind: 'boolean', usage: 'Containers outlive the daemon; always so' },
  { name: 'log-format', kind: 'string', usage: '"text" or "json"' },
  { name: 'log-level', short: 'l', kind: 'string', usage: '"debug", "info", "warn", "error" or "fatal"' },
  { name: 'max-concurrent-downloads', kind: 'string', usage: 'Layers that are fetched at once (default 3)' },
  { name: 'max-concurrent-uploads', kind: 'string', usage: 'Blobs that are sent at once (default 5)' },
  { name: 'max-download-attempts', kind: 'string', usage: 'Tries of a transfer that gets no further (default 5)' },
  { name: 'max-layer-expansion', kind: 'string', usage: 'Bytes that a layer over 1 GiB may unpack to for each byte of its blob (default 100)' },
  { name: 'max-layer-size', kind: 'string', usage: 'Bytes that a layer may unpack to, with k, m, g or t (default "64g")' },
  { name: 'no-proxy', kind: 'string', usage: 'Who is spoken to directly, comma separated: hosts, .domains, networks (default: NO_PROXY)' },
  { name: 'pidfile', short: 'p', kind: 'string', usage: 'File that holds the process id' },
  { name: 'ready-fd', kind: 'string', usage: 'Descriptor that gets one line once the daemon listens' },
  {
    name: 'registry-config',
    kind: 'string',
    usage: `Directories with a folder for a registry, colon separated: hosts.toml or certificates (default "${registryConfig}")`,
  },
  { name: 'registry-mirror', kind: 'strings', usage: 'URL of a mirror of the Hub, repeatable' },
  {
    name: 'storage-driver',
    short: 's',
    kind: 'string',
    usage: '"overlay2" (default), or "vfs": every layer and container a whole copy, for file systems that overlayfs refuses',
  },
  { name: 'tls', kind: 'boolean', usage: '--tls=false: serve tcp hosts to anybody who reaches them, as root' },
];

/** What clients may call the runtime in process: by docker's usual name, and by its own. */
export const ownRuntimes: readonly string[] = ['runc', 'strake-runc'];

/** By Docker's names and by containerd's. */
const snapshotters: Readonly<Record<string, SnapshotterName | undefined>> = { overlay2: 'overlayfs', overlayfs: 'overlayfs', vfs: 'native', native: 'native' };

export function parseDaemonFlags(args: readonly string[]): DaemonFlags {
  const values = readValues(args);
  const last = (name: string) => values.get(name)?.at(-1);
  const execRoot = absolute('exec-root', last('exec-root') ?? '/run/strake');
  const debug = last('debug') === 'true';
  if (last('live-restore') === 'false') throw usage('--live-restore=false is not available: containers always outlive the daemon');
  const storageDriver = last('storage-driver') ?? 'overlay2';
  const snapshotter = snapshotters[storageDriver];
  if (snapshotter === undefined) throw usage(`storage driver ${storageDriver} is not available: overlay2 and vfs are`);
  const hosts = values.get('host') ?? [`unix://${execRoot}/strake.sock`];
  if (hosts.some((host) => host.startsWith('tcp://')) && last('tls') !== 'false')
    throw usage('a tcp host gives root to anybody who reaches it: say --tls=false to serve it all the same (TLS with client certificates is not available)');
  if (last('tls') === 'true') throw usage('--tls is not available');
  const containerd = last('containerd');
  const addedRuntimes = Object.fromEntries((values.get('add-runtime') ?? []).map(addedRuntime));
  const defaultRuntime = last('default-runtime') ?? 'runc';
  if (containerd === undefined && defaultRuntime !== 'runc' && !Object.hasOwn(addedRuntimes, defaultRuntime))
    throw usage(`--default-runtime: ${defaultRuntime} is not known: add it by --add-runtime ${defaultRuntime}=PATH`);
  if (containerd !== undefined && last('containerd-listen') !== undefined) throw usage('--containerd and --containerd-listen exclude each other');
  return {
    dataRoot: absolute('data-root', last('data-root') ?? '/var/lib/strake'),
    execRoot,
    hosts,
    debug,
    logLevel: debug ? 'debug' : oneOf('log-level', last('log-level') ?? 'info', logLevels),
    logFormat: oneOf('log-format', last('log-format') ?? 'text', ['text', 'json'] as const),
    group: last('group') ?? '',
    pidFile: last('pidfile'),
    bridge: last('bridge'),
    bip: last('bip'),
    registries: {
      insecureRegistries: values.get('insecure-registry') ?? [],
      mirrors: (values.get('registry-mirror') ?? []).map(mirror),
      configDirectories: (last('registry-config') ?? registryConfig).split(':').map((directory) => absolute('registry-config', directory)),
      ...optional('attempts', positive('max-download-attempts', last('max-download-attempts'))),
    },
    proxies: { ...optional('http', last('http-proxy')), ...optional('https', last('https-proxy')), ...optional('none', last('no-proxy')) },
    transfers: {
      ...optional('downloads', positive('max-concurrent-downloads', last('max-concurrent-downloads'))),
      ...optional('uploads', positive('max-concurrent-uploads', last('max-concurrent-uploads'))),
    },
    labels: values.get('label') ?? [],
    snapshotter,
    containerd: containerd === undefined ? undefined : absolute('containerd', containerd.replace(/^unix:\/\//, '')),
    addedRuntimes,
    defaultRuntime,
    layerLimits: {
      ...optional('bytes', bytes('max-layer-size', last('max-layer-size'))),
      ...optional('expansion', positive('max-layer-expansion', last('max-layer-expansion'))),
    },
    readyFd: descriptor(last('ready-fd')),
    containerdSocket: last('containerd-listen') === undefined ? undefined : absolute('containerd-listen', last('containerd-listen') ?? ''),
    help: last('help') === 'true',
  };
}

export function daemonUsage(): string {
  const rows = definitions.map(({ name, short, kind, usage: text }) => {
    const flag = `${short === undefined ? '    ' : `-${short}, `}--${name}${kind === 'boolean' ? '' : ' string'}`;
    return `  ${flag.padEnd(32)}${text}\n`;
  });
  return `Usage:  strake daemon [OPTIONS]\n\nThe Strake Engine\n\nOptions:\n${rows.join('')}`;
}

function readValues(args: readonly string[]): Map<string, string[]> {
  const values = new Map<string, string[]>();
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? '';
    const match = /^--([a-z-]+)(?:=(.*))?$/s.exec(arg) ?? /^-([a-zA-Z])(?:=?(.+))?$/s.exec(arg);
    if (match === null) throw usage(`unexpected argument ${JSON.stringify(arg)}`);
    const definition = definitions.find(({ name, short }) => (arg.startsWith('--') ? name : short) === match[1]);
    if (definition === undefined) throw usage(`unknown flag: ${arg.startsWith('--') ? `--${match[1]}` : `-${match[1]}`}`);
    let value = match[2];
    if (definition.kind === 'boolean') value = boolean(definition.name, value ?? 'true');
    else if (value === undefined) {
      value = args[++index];
      if (value === undefined) throw usage(`flag needs an argument: --${definition.name}`);
    }
    values.set(definition.name, [...(values.get(definition.name) ?? []), value]);
  }
  return values;
}

function boolean(name: string, value: string): string {
  if (['true', '1', 't'].includes(value.toLowerCase())) return 'true';
  if (['false', '0', 'f'].includes(value.toLowerCase())) return 'false';
  throw usage(`invalid value ${JSON.stringify(value)} for --${name}: must be true or false`);
}

function oneOf<T extends string>(name: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((item) => item === value);
  if (found === undefined) throw usage(`invalid value ${JSON.stringify(value)} for --${name}: must be one of ${allowed.join(', ')}`);
  return found;
}

function optional<Name extends string, Value>(name: Name, value: Value | undefined): { readonly [name in Name]?: Value } {
  return value === undefined ? {} : ({ [name]: value } as { readonly [name in Name]: Value });
}

/** docker/go-units' RAMInBytes for whole numbers: powers of 1024. */
function bytes(name: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const match = /^(\d{1,12})([kmgt]?)b?$/i.exec(value);
  const size = Number(match?.[1]) * 1024 ** ('kmgt'.indexOf((match?.[2] ?? '').toLowerCase() || '-') + 1);
  if (!Number.isSafeInteger(size) || size <= 0) throw usage(`invalid value ${JSON.stringify(value)} for --${name}: must be a size such as 64g`);
  return size;
}

function addedRuntime(text: string): readonly [name: string, path: string] {
  const [, name = '', path = ''] = /^([\w.-]+)=(.*)$/s.exec(text) ?? [];
  if (name === '') throw usage(`invalid value ${JSON.stringify(text)} for --add-runtime: must be NAME=PATH`);
  if (ownRuntimes.includes(name)) throw usage(`--add-runtime: ${name} is the name of our own runtime`);
  return [name, absolute('add-runtime', path)];
}

function positive(name: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (!/^[1-9]\d{0,8}$/.test(value)) throw usage(`invalid value ${JSON.stringify(value)} for --${name}: must be a positive number`);
  return Number(value);
}

function mirror(text: string): string {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    throw usage(`invalid value ${JSON.stringify(text)} for --registry-mirror: must be an http or https address without user, query or fragment`);
  return url.href;
}

function absolute(name: string, value: string): string {
  if (!value.startsWith('/') || value.includes('\0')) throw usage(`--${name} must be an absolute path`);
  return value.length > 1 ? value.replace(/\/+$/, '') : value;
}

function descriptor(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (!/^\d{1,4}$/.test(value)) throw usage(`invalid value ${JSON.stringify(value)} for --ready-fd: must be a descriptor's number`);
  return Number(value);
}

function usage(message: string): StrakeError {
  return new StrakeError('InvalidArgument', message, { fields: { layer: 'daemon' } });
}
