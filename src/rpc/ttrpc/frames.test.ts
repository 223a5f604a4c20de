import { expect, test } from 'bun:test';
import { encodeFrame, type Frame, FrameParser, frameFlags, maxMessageBytes, messageTypes, type OversizedFrame } from './frames.ts';

const request = { streamId: 1, type: messageTypes.request, flags: frameFlags.remoteClosed, payload: Buffer.from('abc') };

function parse(bytes: Buffer, pieceBytes: number): (Frame | OversizedFrame)[] {
  const parser = new FrameParser();
  const frames: (Frame | OversizedFrame)[] = [];
  for (let start = 0; start < bytes.length; start += pieceBytes) frames.push(...parser.push(bytes.subarray(start, start + pieceBytes)));
  return frames;
}

test('a frame: length and stream big endian, then type, flags and message', () => {
  expect(encodeFrame(request).toString('hex')).toBe('00000003000000010101616263');
  expect(encodeFrame({ ...request, streamId: 0x01020304, payload: Buffer.alloc(0) }).toString('hex')).toBe('00000000010203040101');
});

test.each([1, 3, 10, 13, 1 << 20])('frames in pieces of %i bytes', (pieceBytes) => {
  const sent = [request, { ...request, streamId: 3, payload: Buffer.alloc(0) }, { ...request, streamId: 5, type: 9, payload: Buffer.alloc(70_000, 7) }];
  expect(parse(Buffer.concat(sent.map(encodeFrame)), pieceBytes)).toEqual(sent.map((frame) => ({ kind: 'frame', ...frame })));
});

test('a message that is too long is read past, wherever it is cut', () => {
  const header = Buffer.from('00400001000000070100', 'hex');
  const bytes = Buffer.concat([header, Buffer.alloc(maxMessageBytes + 1), encodeFrame(request)]);
  for (const pieceBytes of [4_096, 1_000_003, bytes.length])
    expect(parse(bytes, pieceBytes)).toEqual([
      { kind: 'oversized', streamId: 7, type: 1, lengthBytes: maxMessageBytes + 1 },
      { kind: 'frame', ...request },
    ]);
});

test('the longest message', () => {
  const longest = { ...request, payload: Buffer.alloc(maxMessageBytes, 1) };
  expect(parse(encodeFrame(longest), 65_536)).toEqual([{ kind: 'frame', ...longest }]);
  expect(() => encodeFrame({ ...request, payload: Buffer.alloc(maxMessageBytes + 1) })).toThrow('message of 4194305 bytes is longer than 4194304');
});
