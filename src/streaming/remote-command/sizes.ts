import type { TerminalSize } from '../backend.ts';
import { protocolError } from '../protocol-error.ts';

/** Of one size, as text. */
const maxSizeBytes = 1024;

/** Sizes of a terminal, each `{"Width":80,"Height":24}`, one after the other. Those of nothing are left out; after one that is none, nothing more is read. */
export async function* readSizes(input: AsyncIterable<Uint8Array>): AsyncGenerator<TerminalSize> {
  let text = '';
  for await (const chunk of input) {
    text += Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1');
    for (let end = text.indexOf('}'); end >= 0; end = text.indexOf('}')) {
      const size = parseSize(text.slice(0, end + 1));
      text = text.slice(end + 1);
      if (size.columns > 0 && size.rows > 0) yield size;
    }
    if (text.length > maxSizeBytes) throw protocolError('a size of a terminal that does not end');
  }
}

function parseSize(text: string): TerminalSize {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  const { Width: columns = 0, Height: rows = 0 } = (value ?? { Width: -1 }) as { readonly Width?: unknown; readonly Height?: unknown };
  if (!isSide(columns) || !isSide(rows)) throw protocolError('a size of a terminal that is none');
  return { columns, rows };
}

function isSide(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 0xffff;
}
