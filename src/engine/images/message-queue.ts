import type { ProgressMessage } from '../../api/docker/index.ts';

/** Messages from callbacks to a generator. Progress that nobody has read yet is replaced by the layer's newer one, so the queue stays small. */
export class MessageQueue implements AsyncIterable<ProgressMessage> {
  private readonly messages: ProgressMessage[] = [];
  private ended = false;
  private wake: (() => void) | undefined;

  push(message: ProgressMessage): void {
    const last = this.messages.findLastIndex(({ id }) => id === message.id);
    if (last >= 0 && message.progress !== undefined && this.messages[last]?.status === message.status) this.messages[last] = message;
    else this.messages.push(message);
    this.wake?.();
  }

  end(): void {
    this.ended = true;
    this.wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ProgressMessage> {
    for (;;) {
      const message = this.messages.shift();
      if (message !== undefined) {
        yield message;
        continue;
      }
      if (this.ended) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.wake = resolve;
      await promise;
    }
  }
}
