import fs from 'node:fs';
import { StrakeError } from '../../base/index.ts';
import { formatOp, type Op, type Report } from '../../kernel/index.ts';
import type { Observer } from '../lifecycle/context.ts';
import { errorText } from './error-text.ts';

const nsPerMs = 1e6;

/**
 * Where the time of one call of the command line goes (`--trace FILE`), as JSON lines in the order of their end: `{"phase","ns"}` for what the runtime did since the
 * line of the phase before, and `{"operation","side","index","text","ns"}` for each operation that the program had carried out when it reported. An operation after
 * that (the cleanup, or what waits for `start`) has no `ns`. Environments hold secrets, and are left out.
 */
export class Trace implements Observer {
  readonly #descriptor: number;
  /** ms since this process began */
  #last = 0;

  /** The file is made at once: one that cannot be written is noticed before anything is done. */
  constructor(file: string) {
    try {
      this.#descriptor = fs.openSync(file, 'w', 0o600);
    } catch (cause) {
      throw new StrakeError('InvalidArgument', `--trace: ${errorText(cause)}`, { cause, fields: { layer: 'runtime', file } });
    }
  }

  /** What was done since the last phase; the first one began with the process. */
  phase(name: string): void {
    const now = performance.now();
    this.#write({ phase: name, ns: Math.round((now - this.#last) * nsPerMs) });
    this.#last = now;
  }

  reported(operations: readonly Op[], { durationsNs, failedIndex }: Report): void {
    for (const [index, op] of operations.entries()) {
      const ns = Number(durationsNs[index] ?? 0n);
      const text = formatOp('env' in op ? { ...op, env: [] } : op);
      this.#write({ operation: op.op, side: op.side, index, text, ...(ns === 0 ? {} : { ns }), ...(index === failedIndex ? { failed: true } : {}) });
    }
  }

  #write(line: object): void {
    fs.writeSync(this.#descriptor, `${JSON.stringify(line)}\n`);
  }
}
