/** A part of a blob: both ends included. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * The Range header of a GET (RFC 9110 14.2) over `sizeBytes` bytes. `unsatisfiable`: to be answered with 416. undefined: nothing that is served in
 * parts (another unit, several ranges), so the whole is.
 */
export function parseRange(header: string | undefined, sizeBytes: number): ByteRange | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '');
  if (match === null || (match[1] === '' && match[2] === '')) return undefined;
  const last = sizeBytes - 1;
  if (match[1] === '') {
    const suffix = Math.min(Number(match[2]), sizeBytes);
    return suffix === 0 ? 'unsatisfiable' : { start: sizeBytes - suffix, end: last };
  }
  const start = Number(match[1]);
  const end = match[2] === '' ? last : Math.min(Number(match[2]), last);
  return start > last || (match[2] !== '' && Number(match[2]) < start) ? 'unsatisfiable' : { start, end };
}

/** The Content-Range of an uploaded chunk, `0-99` (distribution-spec, "Pushing a blob in chunks"); `invalid` for any other text. */
export function parseChunkRange(header: string | undefined): ByteRange | 'invalid' | undefined {
  if (header === undefined) return undefined;
  // Some clients send the form of RFC 9110: a unit before, and a size behind.
  const match = /^(?:bytes[ =])?(\d{1,15})-(\d{1,15})(?:\/(?:\d{1,15}|\*))?$/.exec(header.trim());
  if (match === null) return 'invalid';
  const range = { start: Number(match[1]), end: Number(match[2]) };
  return range.end < range.start ? 'invalid' : range;
}
