import { expect, test } from 'bun:test';
import { type Any, AnySchema } from '@bufbuild/protobuf/wkt';
import type { Http2Stream } from '../http2/index.ts';
import { sendMessage, sharedMessage } from './messages.ts';

/** What two sendings of the message put on a stream. */
function sentTwice(message: Pick<Any, 'typeUrl' | 'value'>): readonly Uint8Array[] {
  const sent: Uint8Array[] = [];
  const stream = { send: (bytes: Uint8Array) => sent.push(bytes) } as unknown as Http2Stream;
  for (let n = 0; n < 2; n++) sendMessage(stream, AnySchema, message);
  return sent;
}

test('a shared message is encoded once, another each time', () => {
  const message = () => ({ typeUrl: 'x', value: Uint8Array.of(7) });
  const [first, second] = sentTwice(sharedMessage(message()));
  expect(Buffer.from(first ?? []).toString('hex')).toBe('00000000060a0178120107');
  expect(second).toBe(first as Uint8Array);
  const [own, next] = sentTwice(message());
  expect(next).toEqual(own as Uint8Array);
  expect(next).not.toBe(own as Uint8Array);
});
