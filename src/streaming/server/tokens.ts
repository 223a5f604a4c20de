import { randomBytes } from 'node:crypto';
import { StrakeError } from '../../base/index.ts';

/** As in Kubernetes: what is not called for within a minute is forgotten, and a thousand may wait. */
const lifetimeMs = 60_000;
const maxWaiting = 1000;

/** Requests that wait for their client, each behind a name that nobody can guess and that works once. */
export class Tokens<Request> {
  readonly #now: () => number;
  /** In the order of their expiry. */
  readonly #waiting = new Map<string, { readonly request: Request; readonly expiresMs: number }>();

  /** `now`: a clock that never goes back, in milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Throws ResourceExhausted when too many wait. */
  insert(request: Request): string {
    this.#forgetExpired();
    if (this.#waiting.size >= maxWaiting)
      throw new StrakeError('ResourceExhausted', `more than ${maxWaiting} streaming requests wait for their clients`, { fields: { layer: 'streaming' } });
    const token = randomBytes(16).toString('base64url');
    this.#waiting.set(token, { request, expiresMs: this.#now() + lifetimeMs });
    return token;
  }

  take(token: string): Request | undefined {
    this.#forgetExpired();
    const waiting = this.#waiting.get(token);
    this.#waiting.delete(token);
    return waiting?.request;
  }

  #forgetExpired(): void {
    for (const [token, { expiresMs }] of this.#waiting) {
      if (expiresMs > this.#now()) return;
      this.#waiting.delete(token);
    }
  }
}
