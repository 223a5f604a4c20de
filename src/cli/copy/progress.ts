import type { Context } from '../context.ts';
import { humanSize } from '../format/units.ts';

const everyMs = 75;

/** Counts what passes, and shows it on a terminal while it does. */
export class CopyProgress {
  #bytes = 0;
  #shownAt = 0;
  readonly #context: Context;
  readonly #header: string;
  readonly #live: boolean;

  /** `header`: docker's `Copying to container - `. */
  constructor(context: Context, header: string, quiet: boolean) {
    this.#context = context;
    this.#header = header;
    this.#live = !quiet && context.isTerminal(2);
  }

  async *count(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      this.#bytes += chunk.length;
      this.#show();
      yield chunk;
    }
  }

  /** The line that stays; `contentBytes`: what was copied, where that is known. */
  end(contentBytes: number | undefined, to: string): void {
    if (this.#live) this.#context.err('\r\u001b[K');
    const shown = humanSize(contentBytes ?? this.#bytes, 3);
    const transferred = contentBytes === undefined || contentBytes === this.#bytes ? '' : ` (transferred ${humanSize(this.#bytes, 3)})`;
    this.#context.err(`Successfully copied ${shown}${transferred} to ${to}\n`);
  }

  #show(): void {
    const now = performance.now();
    if (!this.#live || now - this.#shownAt < everyMs) return;
    this.#shownAt = now;
    this.#context.err(`\r\u001b[K${this.#header}${humanSize(this.#bytes, 3)}`);
  }
}
