import { duplexPair } from 'node:stream';
import { constants, deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { StrakeError } from '../../src/base/index.ts';
import { EchoBackend } from '../../src/streaming/fixtures-backend.ts';
import { HttpRefusal } from '../../src/streaming/http/answer.ts';
import type { Head } from '../../src/streaming/http/read-head.ts';
import { servePortForward } from '../../src/streaming/port-forward/serve.ts';
import { serveCommand } from '../../src/streaming/remote-command/serve.ts';
import { headerDictionary } from '../../src/streaming/spdy/dictionary.ts';
import { controlFrame, dataHeader, FrameReader as SpdyReader, words } from '../../src/streaming/spdy/frames.ts';
import { HeaderBlockReader, HeaderBlockWriter } from '../../src/streaming/spdy/header-block.ts';
import { HeaderInflater } from '../../src/streaming/spdy/inflate.ts';
import { messageFrame, Opcode, FrameReader as WebSocketReader } from '../../src/streaming/websocket/frames.ts';
import { accepted, check } from '../target.ts';

const all = { stdin: true, stdout: true, stderr: true, terminal: true };
const limits = { idleMs: 60_000, creationMs: 60_000 };
const turn = async () => await new Promise((resolve) => setImmediate(resolve));

function piecesOf(bytes: Buffer, pieceBytes: number): readonly Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / pieceBytes) }, (_, index) => bytes.subarray(index * pieceBytes, (index + 1) * pieceBytes));
}

/** What the server says to such a client after the head of its answer, up to the end that the client makes. Whatever it thinks of the client, serving ends. */
async function serve(kind: 'exec' | 'portforward', headers: Readonly<Record<string, string>>, pieces: readonly Buffer[]): Promise<Buffer> {
  const [ours, theirs] = duplexPair();
  const head: Head = {
    start: ['GET', '/', 'HTTP/1.1'],
    headers: new Map(Object.entries(headers).map(([name, value]) => [name, [value]])),
    rest: Buffer.alloc(0),
  };
  const answers: Buffer[] = [];
  ours.on('data', (chunk: Buffer) => answers.push(chunk));
  ours.on('error', () => undefined);
  const backend = new EchoBackend();
  const run = async (streams: Parameters<EchoBackend['exec']>[1]) => {
    for await (const size of streams.sizes) await streams.stdout?.write(Buffer.from(JSON.stringify(size)));
    return await backend.exec({ ...all, containerId: 'c', command: ['0'] }, streams);
  };
  const serving = (
    kind === 'exec'
      ? serveCommand(theirs, head, all, run, { ...limits, failing: 'error' })
      : servePortForward(theirs, head, { sandboxId: 's', ports: [80, 1] }, backend, limits)
  ).catch((error: unknown) => check(error instanceof StrakeError || error instanceof HttpRefusal, `serving failed with ${error}`));
  for (const piece of pieces) ours.write(piece);
  for (let turns = 0; turns < 4 || (ours.writableLength > 0 && !theirs.destroyed && turns < 1000); turns++) await turn();
  ours.destroy();
  theirs.destroy();
  await serving;
  const text = Buffer.concat(answers);
  const end = text.indexOf('\r\n\r\n');
  return end < 0 ? Buffer.alloc(0) : text.subarray(end + 4);
}

const streamId = fc.constantFrom(1, 3, 5, 7, 9, 11, 2, 0, 0x7fff_ffff);
const streamHeaders = fc
  .record({
    streamtype: fc.constantFrom('error', 'stdin', 'stdout', 'stderr', 'resize', 'data', ''),
    port: fc.constantFrom('80', '1', '0', '65536', '8e1', ''),
    requestid: fc.constantFrom('0', '1', '', '__proto__'),
  })
  .map((headers) => new Map(Object.entries(headers)));
const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((content) => Buffer.from(content));
/** Frames whose header blocks are compressed one after the other, so they are made only when all are known. */
const spdyFrame = fc.oneof(
  fc.record({ kind: fc.constant('open' as const), streamId, headers: streamHeaders, flags: fc.constantFrom(0, 0, 1, 2) }),
  fc.record({
    kind: fc.constant('data' as const),
    streamId,
    content: fc.oneof(bytes(60), fc.constant(Buffer.from('{"Width":3,"Height":4}'))),
    flags: fc.constantFrom(0, 1),
  }),
  fc.record({
    kind: fc.constant('control' as const),
    type: fc.nat(12),
    flags: fc.nat(3),
    content: fc.oneof(
      bytes(20),
      streamId.map((id) => words(id, 5)),
    ),
  }),
);
const spdyInput = fc.record({
  kind: fc.constantFrom('exec' as const, 'portforward' as const),
  /** The frames of a client that does it right come first. */
  beginsWell: fc.boolean(),
  frames: fc.array(spdyFrame, { maxLength: 14 }),
  change: fc.option(fc.tuple(fc.nat(), fc.nat(255)), { nil: undefined, freq: 1 }),
  pieceBytes: fc.constantFrom(1, 7, 64, 4096),
});
type SpdyInput = typeof spdyInput extends fc.Arbitrary<infer T> ? T : never;

const beginnings = { exec: ['error', 'stdin', 'stdout', 'stderr', 'resize'], portforward: ['error', 'data'] };

function spdyBytes({ kind, beginsWell, frames, change }: SpdyInput): Buffer {
  const writer = new HeaderBlockWriter();
  const begin = (streamtype: string, index: number) => {
    const headers = new Map(Object.entries({ streamtype, port: '80', requestid: 'x' }));
    return controlFrame(1, 0, words(index * 2 + 1, 0), Buffer.alloc(2), writer.write(headers));
  };
  const beginning = Buffer.concat(beginsWell ? beginnings[kind].map(begin) : []);
  const encoded = Buffer.concat([
    beginning,
    ...frames.map((frame) => {
      if (frame.kind === 'control') return controlFrame(frame.type, frame.flags, frame.content);
      if (frame.kind === 'data') return Buffer.concat([dataHeader(frame.streamId, frame.flags, frame.content.length), frame.content]);
      return controlFrame(1, frame.flags, words(frame.streamId, 0), Buffer.alloc(2), writer.write(frame.headers));
    }),
  ]);
  if (change !== undefined && encoded.length > 0) encoded[change[0] % encoded.length] = change[1];
  return encoded;
}

/** Frames of hostile clients, of SPDY and of SPDY in a tunnel: the answers are frames, and none of a stream goes on behind its end. */
export async function spdy(runs: number, seed: number): Promise<void> {
  const property = fc.asyncProperty(spdyInput, async (input) => {
    const protocol = input.kind === 'exec' ? 'v4.channel.k8s.io' : 'portforward.k8s.io';
    const headers = { connection: 'upgrade', upgrade: 'SPDY/3.1', 'x-stream-protocol-version': protocol };
    const answers = await serve(input.kind, headers, piecesOf(spdyBytes(input), input.pieceBytes));
    const blocks = new HeaderBlockReader();
    const ended = new Set<number>();
    for (const event of new SpdyReader().push(answers)) {
      if (event.kind === 'control' && event.type === 2) blocks.read(event.payload.subarray(4));
      if (event.kind !== 'data') continue;
      check(!ended.has(event.streamId), `stream ${event.streamId} goes on after its end`);
      if (event.fin) ended.add(event.streamId);
    }
  });
  await fc.assert(property, { numRuns: runs, seed });
  inflate(runs, seed);
}

/** What zlib has compressed comes back in whatever pieces; what was changed is read, or refused, within its limit. */
function inflate(runs: number, seed: number): void {
  const input = fc.record({
    text: fc.array(fc.oneof(fc.constantFrom('content-type', 'streamtype', 'data', '\0\0\0\x04'), fc.string({ maxLength: 9 })), { maxLength: 30 }),
    level: fc.nat(9),
    strategy: fc.constantFrom(constants.Z_DEFAULT_STRATEGY, constants.Z_FIXED, constants.Z_HUFFMAN_ONLY, constants.Z_RLE),
    change: fc.option(fc.tuple(fc.nat(), fc.nat(255)), { nil: undefined, freq: 2 }),
    pieceBytes: fc.constantFrom(1, 5, 64),
  });
  const property = fc.property(input, ({ text, level, strategy, change, pieceBytes }) => {
    const plain = Buffer.from(text.join(''));
    const packed = deflateSync(plain, { level, strategy, dictionary: headerDictionary, finishFlush: constants.Z_SYNC_FLUSH });
    if (change !== undefined) packed[change[0] % packed.length] = change[1];
    const inflater = new HeaderInflater();
    const read = accepted(() => Buffer.concat(piecesOf(packed, pieceBytes).map((piece) => inflater.push(piece, 10_000))));
    if (change === undefined) check(read?.equals(plain) ?? false, 'it does not come back');
  });
  fc.assert(property, { numRuns: runs, seed });
}

const webSocketProtocols = {
  exec: ['v5.channel.k8s.io', 'v4.base64.channel.k8s.io', 'channel.k8s.io'],
  portforward: ['SPDY/3.1+portforward.k8s.io', 'v4.channel.k8s.io'],
};
const webSocketFrame = fc.record({
  opcode: fc.constantFrom(0, 1, 2, 2, 2, 8, 9, 10, 3),
  content: fc.oneof(
    bytes(60),
    bytes(40).map((content) => Buffer.concat([Buffer.from([255]), content])),
    fc.constant(Buffer.from('0aGVsbG8=')),
    fc.constant(Buffer.from('\x04{"Width":3,"Height":4}')),
  ),
  mask: fc.uint8Array({ minLength: 4, maxLength: 4 }),
  isMasked: fc.constantFrom(true, true, true, true, false),
  isPart: fc.constantFrom(false, false, true),
});
const webSocketInput = fc.record({
  kind: fc.constantFrom('exec' as const, 'portforward' as const),
  protocol: fc.nat(2),
  frames: fc.array(webSocketFrame, { maxLength: 14 }),
  change: fc.option(fc.tuple(fc.nat(), fc.nat(255)), { nil: undefined, freq: 3 }),
  pieceBytes: fc.constantFrom(1, 7, 64, 4096),
});

/** Frames of hostile clients of WebSocket: the answers are frames that are not masked, whole messages, and nothing comes behind a goodbye. */
export async function websocket(runs: number, seed: number): Promise<void> {
  const property = fc.asyncProperty(webSocketInput, async ({ kind, protocol, frames, change, pieceBytes }) => {
    const encoded = Buffer.concat(
      frames.map(({ opcode, content, mask, isMasked, isPart }) => {
        const frame = messageFrame(opcode, content, isMasked ? Buffer.from(mask) : undefined);
        if (isPart) frame[0] = (frame[0] ?? 0) & 0x7f;
        return frame;
      }),
    );
    if (change !== undefined && encoded.length > 0) encoded[change[0] % encoded.length] = change[1];
    const offered = webSocketProtocols[kind];
    const headers = {
      connection: 'upgrade',
      upgrade: 'websocket',
      'sec-websocket-key': 'x',
      'sec-websocket-version': '13',
      'sec-websocket-protocol': offered[protocol % offered.length] ?? '',
    };
    let hasEnded = false;
    for (const { opcode, endsMessage } of new WebSocketReader({ isMasked: false }).push(await serve(kind, headers, piecesOf(encoded, pieceBytes)))) {
      check(endsMessage && !hasEnded, 'an answer in parts, or behind the goodbye');
      hasEnded = opcode === Opcode.close;
    }
  });
  await fc.assert(property, { numRuns: runs, seed });
}
