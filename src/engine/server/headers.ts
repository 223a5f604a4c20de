import { maxApiVersion } from './api-version.ts';

/** What dockerd puts into every answer; clients negotiate by Api-Version. */
export function daemonHeaders(productVersion: string): Readonly<Record<string, string>> {
  return { 'Api-Version': maxApiVersion, 'Docker-Experimental': 'false', Ostype: 'linux', Server: `Docker/${productVersion} (linux)` };
}
