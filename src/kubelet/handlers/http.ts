import http from 'node:http';
import https from 'node:https';
import type { V1Container, V1HTTPGetAction } from '../kubernetes.ts';
import { portNumber } from './ports.ts';

export interface HttpAnswer {
  readonly status: number;
  /** The beginning of the body. */
  readonly body: string;
}

const maxBodyBytes = 10 * 1024;
const maxRedirects = 10;

/**
 * Asks as a manifest's `httpGet` says; certificates are not verified. Redirects are followed on the same host; one to another host is the answer. Rejects when
 * nobody answers, and with the signal's reason.
 */
export async function httpGet(action: V1HTTPGetAction, container: V1Container, podIP: string, signal: AbortSignal): Promise<HttpAnswer> {
  const host = action.host || podIP;
  const authority = `${host.includes(':') ? `[${host}]` : host}:${portNumber(action.port, container)}`;
  const headers: Record<string, string> = { 'User-Agent': 'kube-probe/strake', Accept: '*/*', Connection: 'close' };
  for (const { name, value } of action.httpHeaders ?? [])
    headers[Object.keys(headers).find((known) => known.toLowerCase() === name.toLowerCase()) ?? name] = value;
  let url = new URL(`${(action.scheme ?? 'HTTP').toLowerCase()}://${authority}${(action.path || '/').replace(/^(?!\/)/, '/')}`);
  const { hostname } = url;
  for (let redirects = 0; ; redirects++) {
    const { status, body, location } = await ask(url, headers, signal);
    const next = status >= 300 && status < 400 && location !== undefined ? URL.parse(location, url.href) : null;
    if (next === null || next.hostname !== hostname || redirects === maxRedirects) return { status, body };
    url = next;
  }
}

async function ask(url: URL, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<HttpAnswer & { readonly location: string | undefined }> {
  const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer & { readonly location: string | undefined }>();
  const options = { headers, signal, agent: false as const, rejectUnauthorized: false };
  const answered = (response: http.IncomingMessage): void => {
    const chunks: Buffer[] = [];
    let length = 0;
    const finish = (): void => {
      const { statusCode: status = 0, headers: answers } = response;
      resolve({ status, location: answers.location, body: Buffer.concat(chunks).subarray(0, maxBodyBytes).toString() });
      response.destroy();
    };
    response.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length >= maxBodyBytes) finish();
    });
    response.on('end', finish);
    response.on('error', reject);
  };
  const request = url.protocol === 'https:' ? https.get(url, options, answered) : http.get(url, options, answered);
  request.on('error', reject);
  return await promise;
}
