import { once } from 'node:events';
import type http from 'node:http';

/** The body of a request whose length is known. `open` is called anew for every try. */
export interface RequestBody {
  readonly sizeBytes: number;
  open(): AsyncIterable<Uint8Array>;
}

/**
 * Writes a body at the pace of the connection. `touch` is called when bytes were taken; `isOver` says that nobody reads on: the server
 * answered already, or the connection is gone. Throws what the source throws.
 */
export async function sendBody(outgoing: http.ClientRequest, body: RequestBody, touch: () => void, isOver: () => boolean): Promise<void> {
  for await (const chunk of body.open()) {
    if (isOver()) return;
    touch();
    if (!outgoing.write(chunk)) await roomOrEnd(outgoing);
    if (isOver()) return;
    touch();
  }
  outgoing.end();
}

async function roomOrEnd(outgoing: http.ClientRequest): Promise<void> {
  const stop = new AbortController();
  const { signal } = stop;
  try {
    await Promise.race(['drain', 'response', 'close', 'error'].map(async (event) => await once(outgoing, event, { signal })));
  } catch (error) {
    // An error of the connection is told by the request itself.
    if (signal.aborted) throw error;
  } finally {
    stop.abort();
  }
}
