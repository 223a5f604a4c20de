import { StrakeError } from '../base/index.ts';

export interface StreamFrame {
  readonly stream: 'stdout' | 'stderr';
  readonly data: Uint8Array;
}

const headerBytes = 8;

/** Splits Docker's multiplexed stream (8-byte header: stream, 0, 0, 0, big-endian length). Data may be handed on in pieces. */
export async function* demultiplex(source: AsyncIterable<Uint8Array>): AsyncGenerator<StreamFrame> {
  let buffered: Buffer = Buffer.alloc(0);
  let stream: StreamFrame['stream'] = 'stdout';
  let remaining = 0;
  for await (const chunk of source) {
    buffered = buffered.length === 0 ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength) : Buffer.concat([buffered, chunk]);
    while (buffered.length > 0) {
      if (remaining === 0) {
        if (buffered.length < headerBytes) break;
        stream = streamOf(buffered[0] ?? 0);
        remaining = buffered.readUInt32BE(4);
        buffered = buffered.subarray(headerBytes);
        continue;
      }
      const data = buffered.subarray(0, remaining);
      remaining -= data.length;
      buffered = buffered.subarray(data.length);
      yield { stream, data };
    }
  }
}

function streamOf(type: number): StreamFrame['stream'] {
  if (type === 0 || type === 1) return 'stdout';
  if (type === 2 || type === 3) return 'stderr';
  throw new StrakeError('DataLoss', `unknown stream ${type} in a multiplexed stream`, { fields: { layer: 'docker-client' } });
}
