import http from 'node:http';
import https from 'node:https';
import { isIP } from 'node:net';
import { StrakeError } from '../../base/index.ts';
import { isWithin } from './is-within.ts';

/** What stands between the machine and the registries, as HTTP_PROXY, HTTPS_PROXY and NO_PROXY say it. */
export interface ProxySettings {
  /** For http addresses: `http://[USER:PASSWORD@]HOST[:PORT]`, https too; without a scheme it is http. */
  readonly http?: string | undefined;
  /** For https addresses. */
  readonly https?: string | undefined;
  /** Who is spoken to directly: `host` with all below it, `.host` with those below it alone, addresses, networks (`10.0.0.0/8`), each with `:port` if need be; `*`. */
  readonly none?: string | undefined;
}

/** As docker reads its own: the capital names first. */
export function proxiesOfEnvironment(env: Readonly<Record<string, string | undefined>>): ProxySettings {
  const read = (name: string) => env[name] || env[name.toLowerCase()] || undefined;
  return { http: read('HTTP_PROXY'), https: read('HTTPS_PROXY'), none: read('NO_PROXY') };
}

/** Finds the proxy for an address, by the rules of Go's net/http, as docker and containerd have them: loopback is always spoken to directly. */
export class Proxies {
  readonly #settings: ProxySettings;
  /** One for http and one for https: each keeps its connections. */
  readonly #agents = new Map<string, http.Agent>();

  constructor(settings: ProxySettings) {
    this.#settings = settings;
  }

  /** Undefined: none. InvalidArgument for a setting that names no proxy. */
  proxyFor(url: URL): URL | undefined {
    const { none = '' } = this.#settings;
    const setting = url.protocol === 'https:' ? this.#settings.https : this.#settings.http;
    if (!setting || isDirect(url, none)) return undefined;
    const proxy = URL.parse(setting.includes('://') ? setting : `http://${setting}`);
    if (proxy !== null && ['http:', 'https:'].includes(proxy.protocol)) return proxy;
    throw new StrakeError('InvalidArgument', `${JSON.stringify(withoutPassword(setting))} is not the address of a proxy`, {
      fields: { layer: 'distribution', remedy: 'give it as http://HOST:PORT or https://HOST:PORT' },
    });
  }

  /** What makes the connections for an address: forwarding for http, a tunnel for https (the agents of Node since 24.5, and of Bun). Undefined: nothing stands between. */
  agentFor(url: URL): http.Agent | undefined {
    const proxy = this.proxyFor(url);
    if (proxy === undefined) return undefined;
    const known = this.#agents.get(url.protocol);
    if (known !== undefined) return known;
    const isTls = url.protocol === 'https:';
    const options: http.AgentOptions = { keepAlive: true, proxyEnv: isTls ? { HTTPS_PROXY: proxy.href } : { HTTP_PROXY: proxy.href } };
    const made = isTls ? new https.Agent(options) : new http.Agent(options);
    this.#agents.set(url.protocol, made);
    return made;
  }
}

/** For people: what stands before the host is not shown. */
export function withoutPassword(setting: string): string {
  return setting.replace(/^([a-z][a-z0-9+.-]*:\/\/)?[^/]*@/i, '$1xxxxx:xxxxx@');
}

function isDirect(url: URL, none: string): boolean {
  const name = url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  if (name === 'localhost' || isWithin(name, '127.0.0.0/8') || isWithin(name, '::1/128')) return true;
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  return none
    .toLowerCase()
    .split(',')
    .map((entry) => entry.trim())
    .some((entry) => entry === '*' || (entry !== '' && matches(entry, name, port)));
}

function matches(entry: string, name: string, port: string): boolean {
  if (isWithin(name, entry)) return true;
  const [, bracketed, plain = '', onlyPort] = /^(?:\[([^\]]*)\]|(.*?))(?::(\d+))?$/.exec(isIP(entry) === 6 ? `[${entry}]` : entry) ?? [];
  if (onlyPort !== undefined && onlyPort !== port) return false;
  const host = bracketed ?? plain.replace(/^\*(?=\.)/, '');
  if (isIP(host) !== 0) return isWithin(name, `${host}/${isIP(host) === 4 ? 32 : 128}`);
  return host.startsWith('.') ? name.endsWith(host) : name === host || name.endsWith(`.${host}`);
}
