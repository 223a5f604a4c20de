import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse, type TomlTable, type TomlValue } from 'smol-toml';
import { errorMessage, type LogLevel, logLevels, StrakeError } from '../../base/index.ts';

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

const maxConfigBytes = 1024 * 1024;
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
  if (seen.size > maxImports) throw invalid(file, `more than ${maxImports} files are imported`);
  const table = readTable(file, required);
  const { imports = [], ...own } = table;
  if (!isStrings(imports)) throw invalid(file, 'imports is not a list of names');
  return imports.reduce((merged, name) => merge(merged, load(path.resolve(path.dirname(file), name), true, seen)), own);
}

function readTable(file: string, required: boolean): TomlTable {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    if (!required && (cause as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw invalid(file, errorMessage(cause), cause);
  }
  if (text.length > maxConfigBytes) throw invalid(file, `longer than ${maxConfigBytes} bytes`);
  try {
    return parse(text);
  } catch (cause) {
    throw invalid(file, errorMessage(cause).split('\n', 1)[0] ?? '', cause);
  }
}

/** Tables are merged, everything else is replaced. */
function merge(base: TomlTable, over: TomlTable): TomlTable {
  const merged: TomlTable = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const before = merged[key];
    merged[key] = isTable(before) && isTable(value) ? merge(before, value) : value;
  }
  return merged;
}

function interpret(table: TomlTable, file: string): ContainerdConfig {
  const left = structuredClone(table);
  const take = (...keys: readonly string[]): TomlValue | undefined => {
    const at = keys.slice(0, -1).reduce<TomlValue | undefined>((inner, key) => (isTable(inner) ? inner[key] : undefined), left);
    const key = keys.at(-1) ?? '';
    if (!isTable(at) || !Object.hasOwn(at, key)) return undefined;
    const value = at[key];
    delete at[key];
    return value;
  };
  const wrong = (keys: readonly string[], what: string) => invalid(file, `${keys.join('.')} is not ${what}`);
  const text = (...keys: readonly string[]): string | undefined => {
    const value = take(...keys);
    if (value !== undefined && typeof value !== 'string') throw wrong(keys, 'a text');
    return value === '' ? undefined : value;
  };
  const natural = (...keys: readonly string[]): number | undefined => {
    const value = take(...keys);
    if (value !== undefined && (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)) throw wrong(keys, 'a number from 0');
    return value;
  };
  const oneOf = <T extends string>(allowed: readonly T[], ...keys: readonly string[]): T | undefined => {
    const value = text(...keys);
    const found = allowed.find((item) => item === value);
    if (value !== undefined && found === undefined) throw wrong(keys, `one of ${allowed.join(', ')}`);
    return found;
  };
  const version = natural('version') ?? 3;
  if (version !== 2 && version !== 3) throw invalid(file, `version ${version} is not known: 2 and 3 are`);
  return {
    ...present({
      root: text('root'),
      state: text('state'),
      address: text('grpc', 'address'),
      groupId: natural('grpc', 'gid'),
      tcp: tcpConfig(file, text),
      logLevel: oneOf(logLevels, 'debug', 'level'),
      logFormat: oneOf(['text', 'json'] as const, 'debug', 'format'),
      downloads: natural('plugins', transferPlugin, 'max_concurrent_downloads'),
      uploads: natural('plugins', transferPlugin, 'max_concurrent_uploaded_layers'),
      registryConfig: text('plugins', transferPlugin, 'config_path'),
    }),
    runtimes: runtimesConfig(file, take('plugins', runtimesPlugin)),
    ignored: saying(left),
  };
}

function tcpConfig(file: string, text: (...keys: readonly string[]) => string | undefined): TcpConfig | undefined {
  const [address, certificate, key, clientAuthority] = ['tcp_address', 'tcp_tls_cert', 'tcp_tls_key', 'tcp_tls_ca'].map((name) => text('grpc', name));
  if (address === undefined) return undefined;
  if ((certificate === undefined) !== (key === undefined)) throw invalid(file, 'grpc.tcp_tls_cert and grpc.tcp_tls_key belong together');
  if (certificate === undefined || key === undefined) return { address };
  return { address, tls: { certificate, key, ...present({ clientAuthority }) } };
}

function runtimesConfig(file: string, table: TomlValue | undefined): Readonly<Record<string, RuntimeConfig>> {
  if (table === undefined) return {};
  if (!isTable(table)) throw invalid(file, `plugins.${runtimesPlugin} is not a table`);
  return Object.fromEntries(
    Object.entries(table).map(([name, runtime]) => {
      const entries = isTable(runtime) ? Object.entries(runtime) : [];
      const [[kind, program] = []] = entries;
      if (entries.length !== 1 || (kind !== 'shim' && kind !== 'binary') || typeof program !== 'string' || !program.startsWith('/'))
        throw invalid(file, `plugins.${runtimesPlugin}.${name} must have the absolute path of either a shim or a binary`);
      return [name, kind === 'shim' ? { shim: program } : { binary: program }];
    }),
  );
}

/** Keys with a value that is not empty, zero or false: those that somebody may count on. Tables of plugins are named, not their keys. */
function saying(table: TomlTable, prefix = '', depth = 0): string[] {
  return Object.entries(table).flatMap(([key, value]) => {
    const name = `${prefix}${key}`;
    if (!isTable(value)) return isNothing(value) ? [] : [name];
    const inner = saying(value, `${name}.`, depth + 1);
    return prefix === 'plugins.' && inner.length > 0 ? [name] : inner;
  });
}

function isNothing(value: TomlValue): boolean {
  return value === '' || value === 0 || value === false || (Array.isArray(value) && value.length === 0);
}

function isTable(value: TomlValue | undefined): value is TomlTable {
  return typeof value === 'object' && !Array.isArray(value) && !(value instanceof Date);
}

function isStrings(value: TomlValue): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

type Present<T> = { readonly [K in keyof T]?: Exclude<T[K], undefined> };

function present<T extends object>(values: T): Present<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Present<T>;
}

function invalid(file: string, why: string, cause?: unknown): StrakeError {
  return new StrakeError('InvalidArgument', `${file}: ${why}`, { cause, fields: { layer: 'containerd' } });
}
