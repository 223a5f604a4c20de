import { create, type DescMessage, type Message, type MessageInitShape, ScalarType, toBinary } from '@bufbuild/protobuf';
import { StrakeError } from '../../base/index.ts';
import type { Http2Stream } from '../http2/index.ts';
import { maxMessageBytes } from './limits.ts';

/** u8 compressed, u32 length. */
const prefixBytes = 5;
/** From this size on bytes are sent from where they are; below it a copy is cheaper than one more write. */
const largeBytes = 4096;

/** Marked by `sharedMessage`; with their frames once they were sent. */
const shared = new WeakMap<object, { frames?: readonly Uint8Array[] }>();

/** For a message that goes to many as it is: it is encoded for the first of them. */
export function sharedMessage<T extends object>(init: T): T {
  shared.set(init, {});
  return init;
}

/** Puts a message on its way. ResourceExhausted for one that is too large. */
export function sendMessage(stream: Http2Stream, description: DescMessage, init: MessageInitShape<DescMessage>): void {
  for (const part of framesOf(description, init)) stream.send(part);
}

function framesOf(description: DescMessage, init: MessageInitShape<DescMessage>): readonly Uint8Array[] {
  const kept = shared.get(init);
  if (kept === undefined) return encodeMessage(description, init);
  kept.frames ??= encodeMessage(description, init);
  return kept.frames;
}

/** A message in its frame, in parts that are sent one behind the other. ResourceExhausted for one that is too large. */
function encodeMessage(description: DescMessage, init: MessageInitShape<DescMessage>): readonly Uint8Array[] {
  const message = create(description, init);
  const large = largeField(description, message);
  const parts = large === undefined ? [toBinary(description, message)] : encodeAround(description, message, large);
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  if (length > maxMessageBytes) throw tooLarge(length);
  const [first = new Uint8Array(), ...rest] = parts;
  const head = Buffer.allocUnsafe(prefixBytes + first.length);
  head[0] = 0;
  head.writeUInt32BE(length, 1);
  head.set(first, prefixBytes);
  return [head, ...rest];
}

interface LargeField {
  readonly name: string;
  readonly number: number;
  readonly bytes: Uint8Array;
}

function largeField(description: DescMessage, message: Message): LargeField | undefined {
  for (const field of description.fields) {
    if (field.fieldKind !== 'scalar' || field.scalar !== ScalarType.BYTES || field.oneof !== undefined) continue;
    const bytes = (message as unknown as Readonly<Record<string, unknown>>)[field.localName];
    if (bytes instanceof Uint8Array && bytes.length >= largeBytes) return { name: field.localName, number: field.number, bytes };
  }
  return undefined;
}

/** The large field last, which readers of protobuf take in any order, and as it is. */
function encodeAround(description: DescMessage, message: Message, { name, number, bytes }: LargeField): readonly Uint8Array[] {
  const rest = toBinary(description, { ...message, [name]: new Uint8Array() });
  return [Buffer.concat([rest, varint(number * 8 + 2), varint(bytes.length)]), bytes];
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  for (; value >= 0x80; value >>>= 7) bytes.push((value & 0x7f) | 0x80);
  return Uint8Array.from([...bytes, value]);
}

/** The messages in a body, without their frames. */
export async function* splitMessages(body: AsyncIterable<Buffer>): AsyncGenerator<Uint8Array> {
  let parts: Buffer[] = [];
  let have = 0;
  let want: number | undefined;
  for await (const chunk of body) {
    parts.push(chunk);
    have += chunk.length;
    for (;;) {
      if (want === undefined) {
        if (have < prefixBytes) break;
        parts = [joined(parts)];
        want = lengthOf(parts[0] as Buffer);
      }
      if (have < prefixBytes + want) break;
      const whole = joined(parts);
      const end: number = prefixBytes + want;
      parts = have === end ? [] : [whole.subarray(end)];
      have -= end;
      want = undefined;
      yield whole.subarray(prefixBytes, end);
    }
  }
  if (have > 0) throw new StrakeError('Internal', 'a message that ends too early', { fields: { layer: 'rpc' } });
}

function lengthOf(prefix: Buffer): number {
  if (prefix[0] !== 0) throw new StrakeError('Unimplemented', 'compressed messages are not read', { fields: { layer: 'rpc' } });
  const length = prefix.readUInt32BE(1);
  if (length > maxMessageBytes) throw tooLarge(length);
  return length;
}

function joined(parts: readonly Buffer[]): Buffer {
  return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
}

function tooLarge(length: number): StrakeError {
  return new StrakeError('ResourceExhausted', `a message of ${length} bytes: at most ${maxMessageBytes} are allowed`, { fields: { layer: 'rpc' } });
}
