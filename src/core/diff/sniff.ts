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
  const begun = await begin(source, longestMagic);
  return { compression: compressionOf(begun.head), source: begun.source };
}

/** POSIX ustar, which GNU tar has too: where it stands in the first header. */
const tarMagic = { text: 'ustar', at: 257 } as const;

/** The same for what may be no layer at all: the compression is undefined then. */
export async function sniffLayer(
  source: AsyncIterable<Uint8Array>,
): Promise<{ readonly compression: LayerCompression | undefined; readonly source: AsyncIterable<Uint8Array> }> {
  const begun = await begin(source, tarMagic.at + tarMagic.text.length);
  return { compression: layerCompressionOf(begun.head), source: begun.source };
}

function layerCompressionOf(head: Buffer): LayerCompression | undefined {
  const packed = magicOf(head);
  if (packed === 'gzip' || packed === 'zstd') return packed;
  return head.toString('latin1', tarMagic.at, tarMagic.at + tarMagic.text.length) === tarMagic.text ? 'none' : undefined;
}

/** The first bytes of a stream, `bytes` unless it is shorter, and the same stream from its beginning. */
async function begin(source: AsyncIterable<Uint8Array>, bytes: number): Promise<{ readonly head: Buffer; readonly source: AsyncIterable<Uint8Array> }> {
  const iterator = source[Symbol.asyncIterator]();
  const head: Uint8Array[] = [];
  let headBytes = 0;
  while (headBytes < bytes) {
    const { done, value } = await iterator.next();
    if (done === true) break;
    head.push(value);
    headBytes += value.length;
  }
  return {
    head: Buffer.concat(head).subarray(0, bytes),
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
  const found = magicOf(head) ?? 'none';
  if (found === 'bzip2' || found === 'xz')
    throw new StrakeError('Unimplemented', `${found} is not supported`, { fields: { layer: 'core', remedy: `unpack it with ${found} -d first` } });
  return found;
}

function magicOf(head: Uint8Array): (typeof magics)[number][0] | undefined {
  return magics.find(([, magic]) => magic.every((byte, index) => head[index] === byte))?.[0];
}
