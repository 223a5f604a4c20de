import { StrakeError } from '../../base/index.ts';
import { sendRequest } from '../http/request.ts';

export interface EndpointOptions {
  /** Hosts (`name`, `name:port`, or `*`) that may be spoken to without TLS, or with any certificate. Loopback always may, as with docker. */
  readonly insecureRegistries?: readonly string[];
  readonly idleTimeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

export interface Endpoint {
  readonly base: URL;
  readonly verifyTls: boolean;
}

/** Where the Hub's registry is. */
const hubHost = 'registry-1.docker.io';

/** Finds how a registry is spoken to: https, or for an insecure one https with any certificate and then http. */
export async function findEndpoint(domain: string, options: EndpointOptions): Promise<Endpoint> {
  const host = domain === 'docker.io' ? hubHost : domain;
  const secure = new URL(`https://${host}/`);
  if (!isInsecure(secure, domain, options.insecureRegistries ?? [])) return { base: secure, verifyTls: true };
  try {
    const response = await sendRequest({ url: new URL('/v2/', secure), idleTimeoutMs: options.idleTimeoutMs, verifyTls: false, signal: options.signal });
    response.discard();
    return { base: secure, verifyTls: false };
  } catch (error) {
    if (!(error instanceof StrakeError)) throw error;
    return { base: new URL(`http://${host}/`), verifyTls: false };
  }
}

function isInsecure({ hostname }: URL, domain: string, listed: readonly string[]): boolean {
  if (hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname)) return true;
  return listed.some((entry) => entry === '*' || entry === domain || entry === hostname);
}
