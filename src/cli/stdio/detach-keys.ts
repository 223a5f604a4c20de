import { UsageError } from '../usage-error.ts';

export const defaultDetachKeys = 'ctrl-p,ctrl-q';

/** Parses "ctrl-p,ctrl-q" or "a,b" into bytes. */
export function parseDetachKeys(text: string): Uint8Array {
  return Uint8Array.from(
    text.split(',').map((key) => {
      const control = /^ctrl-([a-z@[\\\]^_])$/.exec(key);
      if (control?.[1]) return control[1].toUpperCase().charCodeAt(0) - 64;
      if (/^[\x20-\x7e]$/.test(key)) return key.charCodeAt(0);
      throw new UsageError(`invalid detach keys (${text}): unknown character: '${key}'`);
    }),
  );
}

/** Looks for the sequence in typed bytes. Bytes that may begin it are held back until it is clear. */
export class DetachDetector {
  private readonly keys: Uint8Array;
  private matched = 0;

  constructor(keys: Uint8Array) {
    this.keys = keys;
  }

  /** What to pass on, and whether the sequence is complete. */
  feed(chunk: Uint8Array): { readonly data: Uint8Array; readonly detached: boolean } {
    const out: number[] = [];
    for (const byte of chunk) {
      if (byte === this.keys[this.matched]) {
        this.matched += 1;
        if (this.matched === this.keys.length) return { data: Uint8Array.from(out), detached: true };
        continue;
      }
      out.push(...this.keys.subarray(0, this.matched));
      this.matched = byte === this.keys[0] ? 1 : 0;
      if (this.matched === 0) out.push(byte);
    }
    return { data: Uint8Array.from(out), detached: false };
  }
}
