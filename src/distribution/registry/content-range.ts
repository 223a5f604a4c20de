/** The Content-Range of a 206 (RFC 9110 14.4): both ends included; the size where it is known. Undefined for any other text. */
export function parseContentRange(
  text: string | undefined,
): { readonly start: number; readonly end: number; readonly sizeBytes: number | undefined } | undefined {
  const [, first, last, size] = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/i.exec(text ?? '') ?? [];
  if (first === undefined || last === undefined) return undefined;
  const [start, end, sizeBytes] = [Number(first), Number(last), size === '*' ? undefined : Number(size)];
  return end < start || (sizeBytes !== undefined && end >= sizeBytes) ? undefined : { start, end, sizeBytes };
}

/** How many bytes of an upload a registry has, by its Range header (distribution-spec, "Pushing a blob in chunks"); undefined when it does not say. */
export function parseUploadedRange(text: string | undefined): number | undefined {
  const [, last] = /^(?:bytes=)?0-(\d{1,15})$/.exec(text ?? '') ?? [];
  if (last === undefined) return undefined;
  // distribution answers 0-0 for an upload that has nothing.
  return last === '0' ? 0 : Number(last) + 1;
}
