/** A container-style id: 64 lower-case hex digits from the kernel's random source. */
export function randomId(): string {
  // Web Crypto is a global everywhere; importing node:crypto would cost each command 2 ms.
  return Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('hex');
}

/** Docker's short form: the first 12 digits, without an algorithm prefix. */
export function shortId(id: string): string {
  return id.replace(/^[a-z0-9]+:/, '').slice(0, 12);
}
