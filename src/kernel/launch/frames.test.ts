import { expect, test } from 'bun:test';
import { encodeFrame, FrameParser, frameTypes } from './frames.ts';

test('encodeFrame has Docker’s header', () => {
  expect(encodeFrame(frameTypes.stdout, Buffer.from('hi')).toString('hex')).toBe('0100000000000002' + '6869');
  expect(encodeFrame(frameTypes.start).toString('hex')).toBe('1200000000000000');
});

test.each([1, 2, 7, 8, 9, 64])('FrameParser finds frames in pieces of %d bytes', (size) => {
  const stream = Buffer.concat([encodeFrame(1, Buffer.from('one')), encodeFrame(2), encodeFrame(33, Buffer.alloc(20, 'x'))]);
  const parser = new FrameParser();
  const frames: [number, string][] = [];
  for (let start = 0; start < stream.length; start += size)
    for (const frame of parser.push(stream.subarray(start, start + size))) frames.push([frame.type, frame.payload.toString()]);
  expect(frames).toEqual([
    [1, 'one'],
    [2, ''],
    [33, 'x'.repeat(20)],
  ]);
});

test('FrameParser refuses a frame over 4 MiB', () => {
  const header = Buffer.from([1, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff]);
  expect(() => [...new FrameParser().push(header)]).toThrow('a frame of 2147483647 bytes came from strake-init, at most 4194304 are possible');
});
