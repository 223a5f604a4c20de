import { StrakeError } from '../../base/index.ts';
import { decompress } from './decompress.ts';
import type { LayerCompression, LayerLimits } from './diff.ts';

/** The decompressed bytes, as long as they are within the limits: by what has arrived, not by what was announced. ResourceExhausted beyond them. */
export async function* decompressWithin(
  source: AsyncIterable<Uint8Array>,
  compression: LayerCompression,
  limits: Pick<LayerLimits, 'bytes' | 'expansion' | 'expansionFreeBytes'>,
): AsyncGenerator<Uint8Array> {
  let compressedBytes = 0;
  let bytes = 0;
  const counted = (async function* () {
    for await (const chunk of source) {
      compressedBytes += chunk.length;
      yield chunk;
    }
  })();
  for await (const chunk of decompress(counted, compression)) {
    bytes += chunk.length;
    checkSize(bytes, compressedBytes, limits);
    yield chunk;
  }
}

function checkSize(
  bytes: number,
  compressedBytes: number,
  { bytes: most, expansion, expansionFreeBytes }: Pick<LayerLimits, 'bytes' | 'expansion' | 'expansionFreeBytes'>,
): void {
  const exceeds = (problem: string, flag: string) =>
    new StrakeError('ResourceExhausted', `decompressed it exceeds a limit: ${problem} (${flag})`, {
      fields: { layer: 'core', remedy: `start the daemon with a higher ${flag}, if the image is trusted` },
    });
  if (bytes > most) throw exceeds(`more than ${most} bytes`, '--max-layer-size');
  if (bytes > expansionFreeBytes && bytes > compressedBytes * expansion)
    throw exceeds(`${bytes} bytes out of ${compressedBytes}, more than ${expansion} times as many`, '--max-layer-expansion');
}
