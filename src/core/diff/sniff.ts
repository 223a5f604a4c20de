import { StrakeError } from '../../base/index.ts';
import type { LayerCompression } from './diff.ts';

/** First bytes of what tar archives are packed with (RFC 1952, RFC 8878, the formats of bzip2 and xz). */
const magics: readonly (readonly [LayerCompression | 'bzip2' | 'xz', readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
];
const longestMagic = 6;

/** How a stream is packed, by its first bytes, and the same stream from its beginning. Unimplemented for bzip2 and xz. */
export async function sniffCompression(
  source: AsyncIterable<Uint8Array>,
): Promise<{ readonly compression: LayerCompression; readonly source: AsyncIterable<Uint8Array> }> {
  const iterator = source[Symbol.asyncIterator]();
  const head: Uint8Array[] = [];
  let bytes = 0;
  while (bytes < longestMagic) {
    const { done, value } = await iterator.next();
    if (done === true) break;
    head.push(value);
    bytes += value.length;
  }
  const compression = compressionOf(Buffer.concat(head));
  return {
    compression,
    source: (async function* () {
      try {
        yield* head;
        for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value;
      } finally {
        await iterator.return?.();
      }
    })(),
  };
}

/** By the first bytes of a stream; what begins otherwise is taken as it is. */
export function compressionOf(head: Uint8Array): LayerCompression {
  const found = magics.find(([, magic]) => magic.every((byte, index) => head[index] === byte))?.[0] ?? 'none';
  if (found === 'bzip2' || found === 'xz')
    throw new StrakeError('Unimplemented', `${found} is not supported`, { fields: { layer: 'core', remedy: `unpack it with ${found} -d first` } });
  return found;
}
