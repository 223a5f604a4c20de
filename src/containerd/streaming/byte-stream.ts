/** Bytes over a message stream: Data one way, as many as WindowUpdate the other way has allowed. */

import { DataSchema, WindowUpdateSchema } from '../../api/containerd/index.ts';
import { StrakeError } from '../../base/index.ts';
import { packAny, unpackAny } from '../any.ts';
import type { MessageStream } from './streams.ts';

/** What containerd's clients send at once; a receiver of theirs takes more, but is tested with this. */
const maxChunkBytes = 32 << 10;
/** What the sender may have on its way. containerd allows twice its chunk; more keeps the stream going while the disk is busy. */
const windowBytes = 1 << 20;
/** A client cannot allow more than this: containerd counts in int32. */
const maxWindowBytes = 2 ** 31 - 1;

/** The bytes that come in, until the sender ends. InvalidArgument for what is no data, or was not allowed. */
export async function* receiveBytes(stream: MessageStream): AsyncGenerator<Uint8Array> {
  let allowed = 0;
  try {
    for (;;) {
      if (allowed <= windowBytes / 2) {
        allowed += windowBytes;
        await stream.send(packAny(WindowUpdateSchema, { update: windowBytes }));
      }
      const message = await stream.receive();
      if (message === undefined) return;
      const data = unpackAny(message, DataSchema)?.data;
      if (data === undefined) throw unexpected(stream, `a message of type ${message.typeUrl}`);
      allowed -= data.length;
      if (allowed < 0) throw unexpected(stream, 'more bytes than were allowed');
      yield data;
    }
  } finally {
    stream.close();
  }
}

/** Sends all of `source`, at the receiver's pace, and closes the stream. */
export async function sendBytes(stream: MessageStream, source: AsyncIterable<Uint8Array>): Promise<void> {
  const window = new Window(stream);
  try {
    for await (const chunk of source)
      for (let at = 0; at < chunk.length; ) {
        const length = Math.min(maxChunkBytes, chunk.length - at, await window.take());
        window.spend(length);
        await stream.send(packAny(DataSchema, { data: chunk.subarray(at, at + length) }));
        at += length;
      }
  } finally {
    stream.close();
  }
}

/** How much the receiver takes. Its messages are read all the time, so that its leaving is seen. */
class Window {
  #bytes = 0;
  #isOver = false;
  #changed = Promise.withResolvers<void>();

  constructor(stream: MessageStream) {
    void this.#read(stream);
  }

  /** Resolves to the bytes that may be sent, once there are any. Canceled when the receiver is gone. */
  async take(): Promise<number> {
    while (this.#bytes === 0) {
      if (this.#isOver) throw new StrakeError('Canceled', 'the receiver of the stream has left', { fields: { layer: 'containerd' } });
      await this.#changed.promise;
      this.#changed = Promise.withResolvers<void>();
    }
    return this.#bytes;
  }

  spend(bytes: number): void {
    this.#bytes -= bytes;
  }

  async #read(stream: MessageStream): Promise<void> {
    try {
      for (let message = await stream.receive(); message !== undefined; message = await stream.receive()) {
        const update = unpackAny(message, WindowUpdateSchema)?.update ?? 0;
        this.#bytes = Math.min(this.#bytes + Math.max(update, 0), maxWindowBytes);
        this.#changed.resolve();
      }
    } catch {
      // A receiver that breaks off has left.
    }
    this.#isOver = true;
    this.#changed.resolve();
  }
}

function unexpected({ name }: MessageStream, what: string): StrakeError {
  return new StrakeError('InvalidArgument', `stream ${JSON.stringify(name)}: ${what} came in`, { fields: { layer: 'containerd' } });
}
