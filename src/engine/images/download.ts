import { errorMessage, StrakeError } from '../../base/index.ts';

/** A server that sends nothing for so long is given up, as in a pull. */
const idleTimeoutMs = 5 * 60_000;

/** What is at an http or https address, as it comes; for `docker import URL`, which the daemon fetches. Unavailable when there is no good answer. */
export async function* download(url: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const idle = new AbortController();
  const stalled = () =>
    idle.abort(new StrakeError('DeadlineExceeded', `${url} has sent nothing for ${idleTimeoutMs / 1000} s`, { fields: { layer: 'engine', url } }));
  let timer = setTimeout(stalled, idleTimeoutMs);
  try {
    const response = await fetch(url, { signal: AbortSignal.any([signal, idle.signal]) });
    if (!response.ok) throw new Error(`server error: ${response.status} ${response.statusText}`);
    for await (const chunk of response.body ?? []) {
      clearTimeout(timer);
      yield chunk as Uint8Array;
      timer = setTimeout(stalled, idleTimeoutMs);
    }
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof StrakeError) throw cause;
    throw new StrakeError('Unavailable', `cannot download ${url}: ${errorMessage(cause)}`, { cause, fields: { layer: 'engine', url } });
  } finally {
    clearTimeout(timer);
  }
}
