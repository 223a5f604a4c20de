import fc from 'fast-check';
import { parseContentRange, parseUploadedRange } from '../../src/distribution/registry/content-range.ts';
import { parseChunkRange, parseRange } from '../../src/registry/http/byte-range.ts';
import { accepted, check } from '../target.ts';

const number = fc.oneof(fc.nat({ max: 20 }).map(String), fc.constantFrom('', '00', '-1', '999999999999999', '9007199254740993', '1e3', '0x1', ' 1', '*', '٠'));
const text = fc.oneof(
  fc
    .tuple(
      fc.constantFrom('', 'bytes ', 'bytes=', 'Bytes ', 'items '),
      number,
      fc.constantFrom('-', '', '--'),
      number,
      fc.constantFrom('/', '', ',0-1/'),
      number,
    )
    .map((parts) => parts.join('')),
  fc.string({ maxLength: 30, unit: 'binary' }),
);
const bounds = fc.tuple(fc.nat({ max: 50 }), fc.nat({ max: 50 }), fc.nat({ max: 60 }));

/** Ranges of both sides: what is accepted lies within the blob, and what is well formed is read as it was meant. */
export function ranges(runs: number, seed: number): void {
  const property = fc.property(text, bounds, (header, [start, end, size]) => {
    const content = accepted(() => parseContentRange(header));
    if (content !== undefined) {
      check(Number.isSafeInteger(content.start) && content.start <= content.end && Number.isSafeInteger(content.end), `content range ${header}`);
      check(content.sizeBytes === undefined || content.end < content.sizeBytes, `content range ${header}`);
    }
    const uploaded = accepted(() => parseUploadedRange(header));
    check(uploaded === undefined || (Number.isSafeInteger(uploaded) && uploaded >= 0), `uploaded range ${header}`);
    const asked = accepted(() => parseRange(header, size));
    if (typeof asked === 'object') check(asked.start >= 0 && asked.start <= asked.end && asked.end < size, `range ${header} of ${size}`);
    const chunk = accepted(() => parseChunkRange(header));
    if (typeof chunk === 'object') check(chunk.start <= chunk.end && Number.isSafeInteger(chunk.end), `chunk ${header}`);

    const isWithin = start <= end && end < size;
    check(
      JSON.stringify(parseContentRange(`bytes ${start}-${end}/${size}`)) === JSON.stringify(isWithin ? { start, end, sizeBytes: size } : undefined),
      `${start}-${end}/${size}`,
    );
    check(JSON.stringify(parseContentRange(`bytes ${start}-${end}/*`)) === JSON.stringify(start <= end ? { start, end } : undefined), `${start}-${end}/*`);
    check(parseUploadedRange(`0-${end}`) === (end === 0 ? 0 : end + 1), `0-${end}`);
    const range = parseRange(`bytes=${start}-${end}`, size);
    const meant = start >= size || end < start ? 'unsatisfiable' : { start, end: Math.min(end, size - 1) };
    check(JSON.stringify(range) === JSON.stringify(meant), `bytes=${start}-${end} of ${size}`);
  });
  fc.assert(property, { numRuns: runs, seed });
}
