import { expect, test } from 'bun:test';
import { demultiplex } from './demultiplex.ts';

function frame(stream: number, text: string): Buffer {
  const header = Buffer.from([stream, 0, 0, 0, 0, 0, 0, text.length]);
  return Buffer.concat([header, Buffer.from(text)]);
}

async function* inPieces(data: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < data.length; start += size) yield data.subarray(start, start + size);
}

async function collect(data: Buffer, size: number): Promise<Record<string, string>> {
  const out: Record<string, string> = { stdout: '', stderr: '' };
  for await (const part of demultiplex(inPieces(data, size))) out[part.stream] += Buffer.from(part.data).toString();
  return out;
}

const whole = Buffer.concat([frame(1, 'hello '), frame(2, 'oops'), frame(1, ''), frame(1, 'world')]);

test.each([1, 3, 8, 9, 1000])('in pieces of %d bytes', async (size) => expect(await collect(whole, size)).toEqual({ stdout: 'hello world', stderr: 'oops' }));
test('an unknown stream is an error', () => expect(collect(frame(9, 'x'), 100)).rejects.toThrow('unknown stream 9 in a multiplexed stream'));
