/** Sockets give a few KiB at a time; a file write, and a turn through the pipeline, for each would cost more than the bytes. */
const gatheredBytes = 256 << 10;
/** Large enough as it came: a copy would be garbage. */
const largeBytes = 64 << 10;

/** The same bytes in larger pieces. What has arrived when the source breaks off is given before its error. */
export async function* gather(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let parts: Uint8Array[] = [];
  let size = 0;
  let failure: { readonly error: unknown } | undefined;
  try {
    for await (const chunk of source) {
      if (size === 0 && chunk.length >= largeBytes) {
        yield chunk;
        continue;
      }
      parts.push(chunk);
      size += chunk.length;
      if (size < gatheredBytes) continue;
      yield joined(parts, size);
      parts = [];
      size = 0;
    }
  } catch (error) {
    failure = { error };
  }
  if (size > 0) yield joined(parts, size);
  if (failure !== undefined) throw failure.error;
}

/** A piece that is large already is given as it is. */
function joined(parts: readonly Uint8Array[], size: number): Uint8Array {
  const [first] = parts;
  return first !== undefined && parts.length === 1 ? first : Buffer.concat(parts, size);
}
