import { parse, type TomlTable, type TomlValue } from 'smol-toml';
import { errorMessage, StrakeError } from '../../base/index.ts';
import { parseGoDuration } from './go-duration.ts';
import { type HostCapability, hostCapabilities } from './registry-host.ts';

/** One host of a hosts.toml. File names are as they are written: relative to the file's directory. */
export interface HostEntry {
  /** Ends with a slash, `/v2/` unless `override_path` says otherwise; undefined: the registry itself. */
  readonly base: URL | undefined;
  readonly capabilities: ReadonlySet<HostCapability>;
  readonly authorityFiles: readonly string[];
  /** One file of both, or certificate and key. */
  readonly clientFiles: readonly [string] | readonly [string, string] | undefined;
  readonly skipVerify: boolean;
  readonly headers: Readonly<Record<string, string>>;
  readonly dialTimeoutMs: number | undefined;
}

export interface HostsFile {
  /** In the order in which they are asked: that of the file. */
  readonly hosts: readonly HostEntry[];
  /** Asked last. */
  readonly server: HostEntry;
}

const rootKeys = ['server', 'host'];
const hostKeys = ['capabilities', 'ca', 'client', 'skip_verify', 'header', 'override_path', 'dial_timeout'];

/** containerd's hosts.toml. InvalidArgument for a key or a value that it does not have: to overlook one could mean to trust or to tell too much. */
export function parseHostsToml(text: string, file: string): HostsFile {
  let table: TomlTable;
  try {
    table = parse(text);
  } catch (cause) {
    throw new StrakeError('InvalidArgument', `${file}: ${errorMessage(cause).split('\n', 1)[0]}`, { cause, fields: { layer: 'distribution' } });
  }
  const read = new Reader(file);
  read.onlyKeys(table, [...rootKeys, ...hostKeys], '');
  const server = table['server'] === undefined ? '' : read.text(table['server'], 'server');
  const hosts = Object.entries(read.table(table['host'] ?? {}, 'host'));
  return {
    hosts: hosts.map(([url, entry]) => {
      const where = `host.${JSON.stringify(url)}`;
      const fields = read.table(entry, where);
      read.onlyKeys(fields, hostKeys, where);
      return read.host(url, fields, where);
    }),
    server: read.host(server, table, 'server'),
  };
}

/** Not a list, nor one of the parser's dates. */
function isTable(value: TomlValue): value is TomlTable {
  return typeof value === 'object' && !Array.isArray(value) && [null, Object.prototype].includes(Object.getPrototypeOf(value));
}

class Reader {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  host(url: string, fields: TomlTable, where: string): HostEntry {
    const override = fields['override_path'] === undefined ? false : this.flag(fields['override_path'], `${where}: override_path`);
    const skipVerify = fields['skip_verify'] === undefined ? false : this.flag(fields['skip_verify'], `${where}: skip_verify`);
    const timeout = fields['dial_timeout'];
    const dialTimeoutMs = timeout === undefined ? undefined : parseGoDuration(this.text(timeout, `${where}: dial_timeout`));
    if (timeout !== undefined && !(dialTimeoutMs !== undefined && dialTimeoutMs > 0)) throw this.#wrong(`${where}: dial_timeout`, 'a duration such as "30s"');
    return {
      base: url === '' ? undefined : this.#base(url, override, where),
      capabilities: this.#capabilities(fields['capabilities'], where),
      authorityFiles: fields['ca'] === undefined ? [] : this.#texts(fields['ca'], `${where}: ca`),
      clientFiles: this.#client(fields['client'], `${where}: client`),
      skipVerify,
      headers: this.#headers(fields['header'], `${where}: header`),
      dialTimeoutMs,
    };
  }

  table(value: TomlValue, where: string): TomlTable {
    if (!isTable(value)) throw this.#wrong(where, 'a table');
    return value;
  }

  text(value: TomlValue, where: string): string {
    if (typeof value !== 'string') throw this.#wrong(where, 'a text');
    return value;
  }

  flag(value: TomlValue, where: string): boolean {
    if (typeof value !== 'boolean') throw this.#wrong(where, 'true or false');
    return value;
  }

  onlyKeys(table: TomlTable, known: readonly string[], where: string): void {
    const unknown = Object.keys(table).find((key) => !known.includes(key));
    if (unknown !== undefined) throw this.#wrong(where === '' ? unknown : `${where}: ${unknown}`, `one of ${known.join(', ')}`);
  }

  #base(text: string, override: boolean, where: string): URL {
    const url = URL.parse(/^https?:\/\//.test(text) ? text : `https://${text}`);
    if (url === null || url.host === '' || url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
      throw this.#wrong(where, 'an address such as https://host:port');
    const path = url.pathname.replace(/\/+$/, '');
    url.pathname = override || path.endsWith('/v2') ? `${path}/` : `${path}/v2/`;
    return url;
  }

  #capabilities(value: TomlValue | undefined, where: string): ReadonlySet<HostCapability> {
    const texts = value === undefined ? [] : this.#list(value, `${where}: capabilities`);
    if (texts.length === 0) return new Set(hostCapabilities);
    return new Set(
      texts.map((text) => {
        const found = hostCapabilities.find((capability) => capability === text.toLowerCase());
        if (found === undefined) throw this.#wrong(`${where}: capabilities`, `a list of ${hostCapabilities.join(', ')}`);
        return found;
      }),
    );
  }

  #client(value: TomlValue | undefined, where: string): HostEntry['clientFiles'] {
    if (value === undefined) return undefined;
    if (typeof value === 'string') return [value];
    const [first, ...others] = Array.isArray(value) ? value : [];
    if (first === undefined || others.length > 0) throw this.#wrong(where, 'one file, or one pair of certificate and key');
    if (typeof first === 'string') return [first];
    const [certificate, key, ...more] = this.#list(first, where);
    if (certificate === undefined || key === undefined || more.length > 0) throw this.#wrong(where, 'one file, or one pair of certificate and key');
    return [certificate, key];
  }

  #headers(value: TomlValue | undefined, where: string): Readonly<Record<string, string>> {
    const entries = Object.entries(this.table(value ?? {}, where)).map(([name, texts]) => {
      const text = this.#texts(texts, `${where}: ${name}`).join(', ');
      // Neither may end its line.
      if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) || !/^[\t\x20-\x7e\x80-\xff]*$/.test(text)) throw this.#wrong(`${where}: ${name}`, 'a header');
      return [name.toLowerCase(), text] as const;
    });
    return Object.fromEntries(entries);
  }

  #texts(value: TomlValue, where: string): readonly string[] {
    return typeof value === 'string' ? [value] : this.#list(value, where);
  }

  #list(value: TomlValue, where: string): readonly string[] {
    if (!Array.isArray(value)) throw this.#wrong(where, 'a list of texts');
    return value.map((entry) => this.text(entry, where));
  }

  #wrong(where: string, wanted: string): StrakeError {
    return new StrakeError('InvalidArgument', `${this.#file}: ${where}: must be ${wanted}`, { fields: { layer: 'distribution' } });
  }
}
