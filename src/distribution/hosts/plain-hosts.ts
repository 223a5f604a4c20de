const rememberMs = 60_000;
const mostHosts = 1_000;

/** Insecure registries that have answered over plain http lately: they are not asked for https each time. */
export class PlainHosts {
  readonly #until = new Map<string, number>();

  has(host: string): boolean {
    return (this.#until.get(host) ?? 0) > performance.now();
  }

  add(host: string): void {
    if (this.#until.size >= mostHosts) this.#until.clear();
    this.#until.set(host, performance.now() + rememberMs);
  }

  /** It did not answer: it may speak https by now. */
  delete(host: string): void {
    this.#until.delete(host);
  }
}
