import { setTimeout as delay } from 'node:timers/promises';
import { type ErrorCode, isCode, StrakeError } from '../../base/index.ts';
import type { Credentials } from '../auth/credentials.ts';
import type { PlainHosts } from '../hosts/plain-hosts.ts';
import type { HostCapability, HostResolver } from '../hosts/registry-host.ts';
import { createHostResolver, type HostSettings } from '../hosts/resolve-hosts.ts';
import type { Proxies } from '../http/proxies.ts';
import type { HttpResponse } from '../http/request.ts';
import { defaultIdleTimeoutMs, registryLimits } from '../limits.ts';
import { HostClient } from './host-client.ts';
import type { RegistryRequest } from './registry-request.ts';

/** What is the same for all registries of a daemon. */
export interface RegistrySettings extends HostSettings {
  /** ms; five minutes unless told. */
  readonly idleTimeoutMs?: number | undefined;
  /** First pause between tries; doubles. */
  readonly retryDelayMs?: number | undefined;
  /** Tries of one request, or of a transfer without progress between; docker's max-download-attempts. */
  readonly attempts?: number | undefined;
  /** None unless told. */
  readonly proxies?: Proxies | undefined;
}

export interface RegistryClientOptions extends RegistrySettings {
  readonly domain: string;
  readonly credentials?: Credentials | undefined;
  /** Shared by clients that come one after the other. */
  readonly plainHosts?: PlainHosts | undefined;
}

/** Speaks to one registry (distribution-spec 1.1) through the hosts that stand for it: each that can do what is asked for, in order, until one answers. */
export class RegistryClient {
  /** Tries that a request or a transfer without progress is worth. */
  readonly attempts: number;
  readonly #options: RegistryClientOptions;
  readonly #resolve: HostResolver;
  #hosts: Promise<readonly HostClient[]> | undefined;
  /** Mirrors that did not answer: their time is waited for once. */
  readonly #failed = new Set<HostClient>();

  constructor(options: RegistryClientOptions) {
    this.#options = options;
    this.#resolve = createHostResolver(options);
    this.attempts = options.attempts ?? registryLimits.attempts;
  }

  get domain(): string {
    return this.#options.domain;
  }

  /** Answers with an accepted status (200 unless told); everything else is thrown: the error of the registry itself, rather than that of a mirror. `attempts`: tries of all hosts. */
  async request(request: RegistryRequest, attempts = this.attempts): Promise<HttpResponse> {
    const hosts = await this.hosts(request.capability);
    return await this.retry(hosts.at(-1), request.signal, async () => await this.#firstAnswer(request), attempts);
  }

  /** Tries again what may succeed then: a host that was not there or was busy. One that has never answered is not there at all when nobody listens. */
  async retry<T>(host: HostClient | undefined, signal: AbortSignal | undefined, act: () => Promise<T>, attempts = this.attempts): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await act();
      } catch (error) {
        if (!isTransient(error) || attempt >= attempts || (isRefused(error) && !host?.hasAnswered)) throw error;
        await this.pause(attempt, signal, error);
      }
    }
  }

  /** FailedPrecondition when none can do it. */
  async hosts(capability: HostCapability): Promise<readonly HostClient[]> {
    this.#hosts ??= this.#open();
    const able = (await this.#hosts).filter((client) => client.host.capabilities.has(capability) && !this.#failed.has(client));
    if (able.length === 0)
      throw new StrakeError('FailedPrecondition', `no host that is configured for ${this.domain} can ${capability}`, { fields: { layer: 'distribution' } });
    return able;
  }

  /** Uploads stay with the first host that takes any, for their state is there. */
  async host(capability: HostCapability): Promise<HostClient> {
    const [first] = await this.hosts(capability);
    return first as HostClient;
  }

  /** The pause before another try: doubling, with jitter so that many clients do not return together, or as long as a busy registry asks for. */
  async pause(attempt: number, signal: AbortSignal | undefined, failure?: unknown): Promise<void> {
    const base = (this.#options.retryDelayMs ?? 500) * 2 ** (attempt - 1);
    const asked = failure instanceof StrakeError ? Number(failure.fields['retryAfterMs'] ?? 0) : 0;
    await delay(Math.max(base * (0.75 + Math.random() / 2), asked), undefined, { signal: signal as AbortSignal });
  }

  async #firstAnswer(request: RegistryRequest): Promise<HttpResponse> {
    let last: unknown;
    for (const client of await this.hosts(request.capability)) {
      try {
        return await client.send(request);
      } catch (error) {
        request.signal?.throwIfAborted();
        if (client.host.isMirror && (isCode(error, 'Unavailable') || isCode(error, 'DeadlineExceeded'))) this.#failed.add(client);
        last = error;
      }
    }
    throw last;
  }

  async #open(): Promise<readonly HostClient[]> {
    const { idleTimeoutMs = defaultIdleTimeoutMs, credentials, proxies, plainHosts } = this.#options;
    const hosts = await this.#resolve(this.domain);
    return hosts.map((host) => new HostClient({ host, credentials: host.isMirror ? undefined : credentials, idleTimeoutMs, proxies, plainHosts }));
  }
}

/** Nobody listens: one that has answered before is being restarted perhaps, any other is not there. */
function isRefused(error: unknown): boolean {
  return error instanceof StrakeError && error.fields['errno'] === 'ECONNREFUSED';
}

/**
 * OpenSSL's and Node's names for a certificate that is not believed, such as DEPTH_ZERO_SELF_SIGNED_CERT, CERT_HAS_EXPIRED, ERR_TLS_CERT_ALTNAME_INVALID;
 * redirects in a circle; what the parser of HTTP does not take.
 */
const lastingErrors = /CERT|^UNABLE_TO_VERIFY|^ELOOP$|^HPE_/;

/** Worth another try: no connection, or a server that is busy. Not silence: its time has been waited for already; nor what stays as it is, such as a certificate. */
export function isTransient(error: unknown): boolean {
  const codes: readonly ErrorCode[] = ['Unavailable', 'ResourceExhausted'];
  return error instanceof StrakeError && codes.includes(error.code) && !lastingErrors.test(String(error.fields['errno']));
}
