import { formatOp, type Op, type Report } from '../../kernel/index.ts';
import type { Observer, ProgramLauncher } from '../lifecycle/context.ts';

/** A little-endian bit mask as a number. */
function maskText(mask: Uint8Array = new Uint8Array()): string {
  return `0x${Buffer.from(mask)
    .reverse()
    .toString('hex')
    .replace(/^0+(?=.)/, '')}`;
}

/**
 * Writes what a program does into the log, for `--debug`. The names of runc's stages ("nsexec container setup", "child process in init()") stand where ours begin:
 * people, and runc's tests, look for them. Environments hold secrets, and are left out.
 */
export class DebugLauncher implements ProgramLauncher {
  readonly #inner: ProgramLauncher;
  readonly #debug: (message: string) => void;
  readonly #handedOver: string;

  constructor(inner: ProgramLauncher, debug: (message: string) => void, verb: string) {
    this.#inner = inner;
    this.#debug = debug;
    this.#handedOver = verb === 'exec' ? 'setns_init: about to exec' : 'init: closing the pipe to signal completion';
  }

  run(operations: readonly Op[]): Report {
    const starts = operations.some(({ op }) => op === 'clone');
    if (starts) this.#debug(`nsexec container setup: a program of ${operations.length} operations`);
    for (const op of operations) if (op.op === 'affinity' && op.side === 'host') this.#debug(`nsexec: affinity: ${maskText(op.mask)}`);
    for (const op of operations) this.#debug(formatOp('env' in op ? { ...op, env: [] } : op));
    const report = this.#inner.run(operations);
    if (starts) {
      this.#debug(`child process in init(): pid ${report.initPid}`);
      this.#debug(this.#handedOver);
    }
    return report;
  }

  ask(operations: readonly Op[]): readonly Buffer[] {
    for (const op of operations) this.#debug(formatOp(op));
    return this.#inner.ask(operations);
  }

  start(operations: readonly Op[]): void {
    this.#inner.start(operations);
  }

  handOver(): void {
    this.#inner.handOver();
  }

  awaitExit(): void {
    this.#inner.awaitExit();
  }

  observe(observer: Observer): void {
    this.#inner.observe(observer);
  }
}
