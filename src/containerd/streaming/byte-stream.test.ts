import { expect, test } from 'bun:test';
import type { Any } from '@bufbuild/protobuf/wkt';
import { DataSchema, WindowUpdateSchema } from '../../api/containerd/index.ts';
import { packAny, unpackAny } from '../any.ts';
import { receiveBytes, sendBytes } from './byte-stream.ts';
import { ServedStream } from './served-stream.ts';

/** What a client sends, given by the test; ends when `end` is called. */
class Incoming implements AsyncIterator<Any> {
  readonly #messages: IteratorResult<Any>[] = [];
  #waiting: ((result: IteratorResult<Any>) => void) | undefined;

  push(message: Any): void {
    this.#give({ done: false, value: message });
  }

  end(): void {
    this.#give({ done: true, value: undefined });
  }

  #give(result: IteratorResult<Any>): void {
    if (this.#waiting === undefined) this.#messages.push(result);
    else this.#waiting(result);
    this.#waiting = undefined;
  }

  next(): Promise<IteratorResult<Any>> {
    const message = this.#messages.shift();
    return message === undefined ? new Promise((resolve) => (this.#waiting = resolve)) : Promise.resolve(message);
  }
}

const data = (bytes: Uint8Array) => packAny(DataSchema, { data: bytes });
const window = (update: number) => packAny(WindowUpdateSchema, { update });

function served(): { readonly incoming: Incoming; readonly stream: ServedStream; readonly leave: AbortController; readonly outgoing: AsyncGenerator<Any> } {
  const incoming = new Incoming();
  const stream = new ServedStream('s', incoming);
  const leave = new AbortController();
  return { incoming, stream, leave, outgoing: stream.messages(leave.signal) };
}

test('the first message says that the stream is there; a closed stream ends the call', async () => {
  const { stream, outgoing } = served();
  expect((await outgoing.next()).value?.typeUrl).toBe('google.protobuf.Empty');
  const next = outgoing.next();
  stream.close();
  expect((await next).done).toBe(true);
  expect(await stream.receive()).toBeUndefined();
});

test('bytes come in as they are allowed', async () => {
  const { incoming, stream, outgoing } = served();
  await outgoing.next();
  const received = Array.fromAsync(receiveBytes(stream));
  const allowed = unpackAny((await outgoing.next()).value as Any, WindowUpdateSchema)?.update ?? 0;
  incoming.push(data(Buffer.from('one')));
  incoming.push(data(Buffer.from('two')));
  incoming.end();
  void outgoing.next();
  expect(Buffer.concat(await received).toString()).toBe('onetwo');
  expect(allowed).toBe(1 << 20);
});

test.each([
  ['more than was allowed', () => data(Buffer.alloc((1 << 20) + 1)), 'more bytes than were allowed came in'],
  ['what is no data', () => window(1), 'a message of type containerd.types.transfer.WindowUpdate came in'],
])('%s is refused', async (_name, message, text) => {
  const { incoming, stream, outgoing } = served();
  await outgoing.next();
  const received = Array.fromAsync(receiveBytes(stream));
  await outgoing.next();
  void outgoing.next();
  incoming.push(message());
  expect(received).rejects.toThrow(text);
});

test('bytes go out at the pace of the receiver, cut to its window and to 32 KiB', async () => {
  const { incoming, stream, outgoing } = served();
  await outgoing.next();
  const sent = sendBytes(
    stream,
    (async function* () {
      yield Buffer.alloc(100_000, 1);
    })(),
  );
  const sizes: number[] = [];
  const take = async () => sizes.push(unpackAny((await outgoing.next()).value as Any, DataSchema)?.data.length ?? -1);
  incoming.push(window(10));
  await take();
  incoming.push(window(100_000));
  for (let count = 0; count < 4; count++) await take();
  expect((await outgoing.next()).done).toBe(true);
  await sent;
  expect(sizes).toEqual([10, 32768, 32768, 32768, 1686]);
});

test('a receiver that leaves ends the sender', async () => {
  const { stream, leave, outgoing } = served();
  await outgoing.next();
  const sent = sendBytes(
    stream,
    (async function* () {
      yield Buffer.alloc(10);
    })(),
  );
  const next = outgoing.next();
  leave.abort();
  expect((await next).done).toBe(true);
  expect(sent).rejects.toThrow('the receiver of the stream has left');
});
