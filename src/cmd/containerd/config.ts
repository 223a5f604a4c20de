import path from 'node:path';
import type { TomlTable } from 'smol-toml';
import { type LogLevel, logLevels } from '../../base/index.ts';
import { ConfigTable, invalidConfig, isStrings, isTable, mergeTables, readTomlFile, saying } from '../toml-config.ts';

/** What containerd's config.toml (versions 2 and 3) says that means something here; absent where it says nothing. */
export interface ContainerdConfig {
  readonly root?: string;
  readonly state?: string;
  readonly address?: string;
  readonly groupId?: number;
  readonly tcp?: TcpConfig;
  readonly logLevel?: LogLevel;
  readonly logFormat?: 'text' | 'json';
  readonly downloads?: number;
  readonly uploads?: number;
  /** Directories with a folder for a registry. */
  readonly registryConfig?: string;
  /** By the name of a runtime, such as `io.containerd.runc.v2`. */
  readonly runtimes: Readonly<Record<string, RuntimeConfig>>;
  /** Keys that say something else than nothing and mean nothing here, with their tables: `metrics.address`. */
  readonly ignored: readonly string[];
}

export interface TcpConfig {
  readonly address: string;
  /** Files, PEM. */
  readonly tls?: { readonly certificate: string; readonly key: string; readonly clientAuthority?: string };
}

/** What stands for the runtime in process. */
export type RuntimeConfig = { readonly shim: string } | { readonly binary: string };

const maxImports = 64;
const runtimesPlugin = 'io.containerd.strake.v1.runtimes';
const transferPlugin = 'io.containerd.transfer.v1.local';

/** Reads a file and what it imports: later files win. `required`: a file that is not there is an error. */
export function readConfig(file: string, required: boolean): ContainerdConfig {
  const seen = new Set<string>();
  return interpret(load(file, required, seen), file);
}

function load(file: string, required: boolean, seen: Set<string>): TomlTable {
  if (seen.has(file)) return {};
  seen.add(file);
  if (seen.size > maxImports) throw invalidConfig(file, `more than ${maxImports} files are imported`);
  const table = readTomlFile(file, required);
  const { imports = [], ...own } = table;
  if (!isStrings(imports)) throw invalidConfig(file, 'imports is not a list of names');
  return imports.reduce((merged, name) => mergeTables(merged, load(path.resolve(path.dirname(file), name), true, seen)), own);
}

function interpret(table: TomlTable, file: string): ContainerdConfig {
  const config = new ConfigTable(table, file);
  const version = config.natural('version') ?? 3;
  if (version !== 2 && version !== 3) throw invalidConfig(file, `version ${version} is not known: 2 and 3 are`);
  return {
    ...present({
      root: config.text('root'),
      state: config.text('state'),
      address: config.text('grpc', 'address'),
      groupId: config.natural('grpc', 'gid'),
      tcp: tcpConfig(file, config),
      logLevel: config.oneOf(logLevels, 'debug', 'level'),
      logFormat: config.oneOf(['text', 'json'] as const, 'debug', 'format'),
      downloads: config.natural('plugins', transferPlugin, 'max_concurrent_downloads'),
      uploads: config.natural('plugins', transferPlugin, 'max_concurrent_uploaded_layers'),
      registryConfig: config.text('plugins', transferPlugin, 'config_path'),
    }),
    runtimes: runtimesConfig(file, config.table('plugins', runtimesPlugin)),
    ignored: saying(config.left, 'plugins.'),
  };
}

function tcpConfig(file: string, config: ConfigTable): TcpConfig | undefined {
  const [address, certificate, key, clientAuthority] = ['tcp_address', 'tcp_tls_cert', 'tcp_tls_key', 'tcp_tls_ca'].map((name) => config.text('grpc', name));
  if (address === undefined) return undefined;
  if ((certificate === undefined) !== (key === undefined)) throw invalidConfig(file, 'grpc.tcp_tls_cert and grpc.tcp_tls_key belong together');
  if (certificate === undefined || key === undefined) return { address };
  return { address, tls: { certificate, key, ...present({ clientAuthority }) } };
}

function runtimesConfig(file: string, table: TomlTable | undefined): Readonly<Record<string, RuntimeConfig>> {
  if (table === undefined) return {};
  return Object.fromEntries(
    Object.entries(table).map(([name, runtime]) => {
      const entries = isTable(runtime) ? Object.entries(runtime) : [];
      const [[kind, program] = []] = entries;
      if (entries.length !== 1 || (kind !== 'shim' && kind !== 'binary') || typeof program !== 'string' || !program.startsWith('/'))
        throw invalidConfig(file, `plugins.${runtimesPlugin}.${name} must have the absolute path of either a shim or a binary`);
      return [name, kind === 'shim' ? { shim: program } : { binary: program }];
    }),
  );
}

type Present<T> = { readonly [K in keyof T]?: Exclude<T[K], undefined> };

function present<T extends object>(values: T): Present<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Present<T>;
}
