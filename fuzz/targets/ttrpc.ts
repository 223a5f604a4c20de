import { duplexPair } from 'node:stream';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { content } from '../../src/api/containerd/index.ts';
import { RequestSchema, ResponseSchema } from '../../src/api/ttrpc/index.ts';
import { StrakeError } from '../../src/base/index.ts';
import { encodeFrame, type Frame, FrameParser, frameFlags, type OversizedFrame } from '../../src/rpc/ttrpc/frames.ts';
import { createTtrpcClient, type ServiceImplementation, servedService, TtrpcConnection, TtrpcServer } from '../../src/rpc/ttrpc/index.ts';
import { check } from '../target.ts';

const { Content } = content;

const streamId = fc.oneof(fc.constantFrom(1, 3, 5, 7), fc.constantFrom(0, 2, 0xffff_ffff), fc.nat(20));
const messages = fc.oneof(
  fc
    .record({
      service: fc.constantFrom(Content.typeName, '', 'other', '\0'),
      method: fc.constantFrom('Info', 'Read', 'Write', 'Delete', '', '__proto__', 'constructor'),
      payload: fc.oneof(fc.constant(new Uint8Array()), fc.uint8Array({ maxLength: 40 }), fc.constant(Uint8Array.of(10, 1, 120))),
      timeoutNano: fc.constantFrom(0n, 1n, -1n, 2n ** 63n - 1n, -(2n ** 63n)),
      metadata: fc.array(
        fc.record({ key: fc.constantFrom('a', 'A b', '', 'containerd-namespace-ttrpc', '__proto__', 'ä'), value: fc.string({ maxLength: 5, unit: 'binary' }) }),
        {
          maxLength: 3,
        },
      ),
    })
    .map((request) => toBinary(RequestSchema, create(RequestSchema, request))),
  fc
    .record({
      status: fc.option(fc.record({ code: fc.constantFrom(0, 1, 5, 99, -1), message: fc.constantFrom('', 'x', 'x: not found') }), { nil: undefined }),
      payload: fc.uint8Array({ maxLength: 20 }),
    })
    .map(({ status, payload }) => toBinary(ResponseSchema, create(ResponseSchema, { payload, ...(status === undefined ? {} : { status }) }))),
  fc.uint8Array({ maxLength: 40 }),
);
const frame = fc.record({ streamId, type: fc.constantFrom(1, 1, 2, 3, 3, 0, 255), flags: fc.constantFrom(0, 1, 2, 4, 5, 255), payload: messages });
const input = fc.record({
  frames: fc.array(frame, { maxLength: 12 }),
  change: fc.option(fc.tuple(fc.nat(), fc.nat(255)), { nil: undefined, freq: 3 }),
  pieceBytes: fc.constantFrom(1, 7, 64, 4_096),
});
type Input = typeof input extends fc.Arbitrary<infer T> ? T : never;

function bytesOf({ frames, change }: Input): Buffer {
  const bytes = Buffer.concat(frames.map(encodeFrame));
  if (change !== undefined && bytes.length > 0) bytes[change[0] % bytes.length] = change[1];
  return bytes;
}

function* pieces(bytes: Buffer, pieceBytes: number): Generator<Buffer> {
  for (let start = 0; start < bytes.length; start += pieceBytes) yield bytes.subarray(start, start + pieceBytes);
}

/** Echoes, in every kind of method. */
const implementation: Partial<ServiceImplementation<typeof Content>> = {
  info: async ({ digest }) => ({ info: { digest } }),
  read: async function* ({ digest }) {
    for (const part of [digest, digest]) yield { data: Buffer.from(part) };
  },
  write: async function* (requests) {
    for await (const { ref } of requests) yield { digest: ref };
  },
};

/** Everything that the server says to `bytes`, up to the end of the connection. */
async function serve(bytes: Buffer, pieceBytes: number): Promise<Frame[]> {
  const server = new TtrpcServer({ services: [servedService(Content, implementation as ServiceImplementation<typeof Content>)] });
  const [ours, theirs] = duplexPair();
  server.serve(theirs);
  const parser = new FrameParser();
  const answers: (Frame | OversizedFrame)[] = [];
  ours.on('data', (chunk: Buffer) => answers.push(...parser.push(chunk)));
  for (const piece of pieces(bytes, pieceBytes)) ours.write(piece);
  const closed = Promise.withResolvers<void>();
  ours.on('close', closed.resolve);
  await new Promise((resolve) => setImmediate(resolve));
  ours.end();
  server.close();
  ours.destroy();
  await closed.promise;
  return answers.map((answer) => {
    check(answer.kind === 'frame', 'an answer is longer than a message');
    return answer;
  });
}

/** What a client makes of `bytes` in answer to one call of each kind: each ends, with messages or a StrakeError. */
async function ask(bytes: Buffer, pieceBytes: number): Promise<void> {
  const [ours, theirs] = duplexPair();
  const connection = new TtrpcConnection(theirs);
  const client = createTtrpcClient(Content, connection);
  const refuse = (error: unknown) => check(error instanceof StrakeError, `a call failed with ${error}`);
  const read = async (answers: AsyncIterable<unknown>) => {
    for await (const _ of answers);
  };
  const requests = async function* () {
    yield { ref: 'x' };
  };
  const calls = [client.info({}).then(() => undefined, refuse), read(client.read({})).catch(refuse), read(client.write(requests())).catch(refuse)];
  ours.resume();
  for (const piece of pieces(bytes, pieceBytes)) ours.write(piece);
  await new Promise((resolve) => setImmediate(resolve));
  ours.end();
  ours.destroy();
  connection.close();
  await Promise.all(calls);
}

/** Frames of hostile peers, on both sides. */
export async function ttrpc(runs: number, seed: number): Promise<void> {
  const property = fc.asyncProperty(input, async (one) => {
    const { frames, change, pieceBytes } = one;
    const bytes = bytesOf(one);
    const parser = new FrameParser();
    const parsed: (Frame | OversizedFrame)[] = [];
    for (const piece of pieces(bytes, pieceBytes)) parsed.push(...parser.push(piece));
    if (change === undefined) {
      check(parsed.length === frames.length, `${frames.length} frames became ${parsed.length}`);
      for (const [index, { payload, ...header }] of frames.entries()) {
        const same = parsed[index];
        check(same?.kind === 'frame' && same.payload.equals(payload), `the message of frame ${index}`);
        check(same.streamId === header.streamId && same.type === header.type && same.flags === header.flags, `the header of frame ${index}`);
      }
    }
    const ended = new Set<number>();
    const refused = parsed.filter(({ type }) => type === 1 || type === 3).map((asked) => asked.streamId);
    for (const { streamId, type, flags, payload } of await serve(bytes, pieceBytes)) {
      check(type === 2 || type === 3, `an answer of type ${type}`);
      check(refused.includes(streamId), `stream ${streamId} was not asked for`);
      if (type === 2) fromBinary(ResponseSchema, payload);
      else check(!ended.has(streamId), `stream ${streamId} goes on after its end`);
      if (type === 3 && (flags & frameFlags.remoteClosed) !== 0) ended.add(streamId);
    }
    await ask(bytes, pieceBytes);
  });
  await fc.assert(property, { numRuns: runs, seed });
}
