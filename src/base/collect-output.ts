export interface CollectedOutput {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

/** What a process says, `maxBytes` of each stream; what is more is read and dropped. `bytes` tells what has come so far. */
export function collectOutput(
  source: AsyncIterable<{ readonly stream: 'stdout' | 'stderr'; readonly data: Uint8Array }>,
  maxBytes: number,
): { readonly done: Promise<void>; readonly bytes: () => CollectedOutput } {
  const streams = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[] };
  const left = { stdout: maxBytes, stderr: maxBytes };
  const done = (async () => {
    for await (const { stream, data } of source) {
      const kept = data.subarray(0, left[stream]);
      if (kept.length > 0) streams[stream].push(Buffer.from(kept));
      left[stream] -= kept.length;
    }
  })();
  // Who has waited long enough does not hear of it.
  done.catch(() => undefined);
  return { done, bytes: () => ({ stdout: Buffer.concat(streams.stdout), stderr: Buffer.concat(streams.stderr) }) };
}
