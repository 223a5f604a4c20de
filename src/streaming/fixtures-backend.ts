import { StrakeError } from '../base/index.ts';
import type { StreamingBackend } from './backend.ts';

/** Does without processes what clients can tell: what a command is named says how it ends. */
export class EchoBackend implements StreamingBackend {
  /** What became of clients that left. */
  readonly left: string[] = [];
  #wake: (() => void) | undefined;

  exec: StreamingBackend['exec'] = async ({ command: [name = '', ...rest] }, { stdin, stdout, stderr, sizes, signal }) => {
    if (name === 'fail') throw new StrakeError('NotFound', 'no such container');
    if (name === 'sizes') {
      for await (const { columns, rows } of sizes) {
        await stdout?.write(Buffer.from(`${columns}x${rows}\n`));
        if (columns === 1) break;
      }
      return 0;
    }
    if (name === 'flood') {
      const chunk = Buffer.alloc(100_000, 'x');
      for (let count = Number(rest[0]); count > 0; count--) await stdout?.write(chunk);
      return 0;
    }
    signal.addEventListener('abort', () => this.leave(name), { once: true });
    await stderr?.write(Buffer.from(rest.join(' ')));
    for await (const chunk of stdin ?? []) await stdout?.write(chunk);
    return Number(name);
  };

  attach: StreamingBackend['attach'] = async ({ containerId }, { stdin, stdout }) => {
    await stdout?.write(Buffer.from(`attached to ${containerId}\n`));
    for await (const chunk of stdin ?? []) await stdout?.write(chunk);
  };

  portForward: StreamingBackend['portForward'] = async (sandboxId, port, stream) => {
    if (port === 1) throw new StrakeError('Unavailable', 'connection refused', { fields: { errno: 'ECONNREFUSED' } });
    await stream.write(Buffer.from(`${sandboxId}:${port}\n`));
    for await (const chunk of stream.input) await stream.write(chunk);
    stream.end();
  };

  /** Waits until so many clients have left. */
  async untilLeft(count: number): Promise<void> {
    while (this.left.length < count) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
  }

  private leave(name: string): void {
    this.left.push(name);
    this.#wake?.();
  }
}
