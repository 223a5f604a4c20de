import { duplexPair } from 'node:stream';
import fc from 'fast-check';
import { content } from '../../src/api/containerd/index.ts';
import { StrakeError } from '../../src/base/index.ts';
import { createClient } from '../../src/rpc/grpc/call.ts';
import { createCallHandler } from '../../src/rpc/grpc/call-handler.ts';
import { grpcService, type ServiceImpl } from '../../src/rpc/grpc/index.ts';
import { Http2ClientConnection } from '../../src/rpc/http2/client-connection.ts';
import { FrameReader } from '../../src/rpc/http2/frame-reader.ts';
import { clientPreface, Flag, type Frame, FrameType, frameHeader, uint32 } from '../../src/rpc/http2/frames.ts';
import type { Header } from '../../src/rpc/http2/headers.ts';
import { encodeHeaders } from '../../src/rpc/http2/hpack/encoder.ts';
import { Http2ServerConnection } from '../../src/rpc/http2/server-connection.ts';
import { check } from '../target.ts';

const { Content } = content;

const paths = ['Info', 'Read', 'Write', 'Delete', 'no', ''].map((name) => `/${Content.typeName}/${name}`);
const header: fc.Arbitrary<Header> = fc.oneof(
  fc.constantFrom<Header[]>(
    [':method', 'POST'],
    ['content-type', 'application/grpc'],
    ['grpc-timeout', '1m'],
    ['grpc-timeout', 'x'],
    [':status', '200'],
    ['grpc-status', '5'],
  ),
  fc.constantFrom(...paths).map((path): Header => [':path', path]),
  fc.tuple(fc.constantFrom('a', 'A b', '', '__proto__', 'grpc-message', 'strake-error-bin'), fc.string({ maxLength: 5, unit: 'binary-ascii' })),
);
const call: readonly Header[] = [
  [':method', 'POST'],
  ['content-type', 'application/grpc'],
  [':status', '200'],
];
const block = fc.oneof(
  fc.array(header, { maxLength: 4 }).map((headers) => encodeHeaders([...call, ...headers])),
  fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
);
const message = fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.concat([Buffer.from([0]), uint32(bytes.length), bytes]));
const payload = fc.oneof(
  block,
  message,
  fc.constantFrom(0, 1, 5, 70_000, 0x7fff_ffff, 0xffff_ffff).map(uint32),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
);
const frame = fc.oneof(
  fc.record({ type: fc.constant<number>(FrameType.headers), flags: fc.constantFrom(4, 5), streamId: fc.constantFrom(1, 3, 5), payload: block }),
  fc.record({ type: fc.constant<number>(FrameType.data), flags: fc.constantFrom(0, 1), streamId: fc.constantFrom(1, 3, 5), payload: message }),
  fc.record({ type: fc.nat(11), flags: fc.constantFrom(0, 1, 4, 5, 8, 32, 255), streamId: fc.constantFrom(0, 0, 1, 3, 5, 2, 0x7fff_ffff), payload }),
);
const input = fc.record({
  frames: fc.array(frame, { maxLength: 12 }),
  change: fc.option(fc.tuple(fc.nat(), fc.nat(255)), { nil: undefined, freq: 3 }),
  pieceBytes: fc.constantFrom(1, 7, 64, 4096),
});
type Input = typeof input extends fc.Arbitrary<infer T> ? T : never;

function piecesOf({ frames, change, pieceBytes }: Input): Buffer[] {
  const bytes = Buffer.concat(frames.flatMap(({ type, flags, streamId, payload: content }) => [frameHeader(type, flags, streamId, content.length), content]));
  if (change !== undefined && bytes.length > 0) bytes[change[0] % bytes.length] = change[1];
  return Array.from({ length: Math.ceil(bytes.length / pieceBytes) }, (_, index) => bytes.subarray(index * pieceBytes, (index + 1) * pieceBytes));
}

/** Echoes, in every kind of method. */
const implementation: Partial<ServiceImpl<typeof Content>> = {
  info: ({ digest }) => ({ info: { digest } }),
  async *read({ digest }) {
    for (const part of [digest, digest]) yield { data: Buffer.from(part) };
  },
  async *write(requests) {
    for await (const { ref } of requests) yield { digest: ref };
  },
  delete: () => {
    throw new StrakeError('NotFound', 'nothing is there');
  },
};
const unserved = () => {
  throw new StrakeError('Unimplemented', 'not here');
};
const whole = Object.fromEntries(Content.methods.map(({ localName }) => [localName, unserved]));
const service = grpcService(Content, { ...whole, ...implementation } as ServiceImpl<typeof Content>);

const turn = async () => await new Promise((resolve) => setImmediate(resolve));

/** What a server answers is frames, of streams that were opened, none behind its end. */
async function serve(one: Input): Promise<void> {
  const [ours, theirs] = duplexPair();
  const closed = Promise.withResolvers<void>();
  const failures: unknown[] = [];
  const handle = createCallHandler([service], (_, error) => failures.push(error));
  const server = new Http2ServerConnection({ socket: theirs, handle, onClose: closed.resolve });
  const reader = new FrameReader();
  const answers: Frame[] = [];
  ours.on('data', (chunk: Buffer) => answers.push(...reader.push(chunk)));
  for (const piece of [clientPreface, ...piecesOf(one)]) ours.write(piece);
  for (let turns = 0; turns < 5; turns++) await turn();
  server.abort(new Error('over'));
  await closed.promise;
  const ended = new Set<number>();
  for (const { type, flags, streamId } of answers) {
    check(streamId % 2 === 0 ? streamId === 0 : true, `an answer of stream ${streamId}`);
    if (type !== FrameType.data && type !== FrameType.headers) continue;
    check(!ended.has(streamId), `stream ${streamId} goes on after its end`);
    if ((flags & Flag.endStream) !== 0) ended.add(streamId);
  }
  for (const failure of failures) check(failure instanceof StrakeError, `a call failed with ${failure}`);
}

/** What a client makes of `frames` in answer to calls of each kind: each ends, with messages or a StrakeError. */
async function ask(one: Input): Promise<void> {
  const [ours, theirs] = duplexPair();
  const connection = new Http2ClientConnection(theirs, () => undefined);
  const client = createClient({ scheme: 'http', authority: 'x', connect: async () => connection, decorations: [] }, Content);
  const refuse = (error: unknown) => check(error instanceof StrakeError, `a call failed with ${error}`);
  const read = async (answers: AsyncIterable<unknown>) => {
    for await (const _ of answers);
  };
  const requests = async function* () {
    yield { ref: 'x' };
  };
  const calls = [client.info({}).then(() => undefined, refuse), read(client.read({})).catch(refuse), read(client.write(requests())).catch(refuse)];
  ours.resume();
  await turn();
  for (const piece of piecesOf(one)) ours.write(piece);
  for (let turns = 0; turns < 3; turns++) await turn();
  connection.abort(new StrakeError('Unavailable', 'over'));
  await Promise.all(calls);
}

/** Frames of hostile peers, on both sides, up to the calls of gRPC. */
export async function http2(runs: number, seed: number): Promise<void> {
  const property = fc.asyncProperty(input, async (one) => {
    await serve(one);
    await ask(one);
  });
  await fc.assert(property, { numRuns: runs, seed });
}
