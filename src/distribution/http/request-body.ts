import type http from 'node:http';
import { StrakeError } from '../../base/index.ts';

/** The body of a request whose length is known. `open` is called anew for every try. */
export interface RequestBody {
  readonly sizeBytes: number;
  open(): AsyncIterable<Uint8Array>;
}

/**
 * Writes a body at the pace of the connection. `touch` is called when bytes were taken; `isOver` says that nobody reads on: the server
 * answered already, or the connection is gone. Throws what the source throws, and DataLoss when it ends early.
 */
export async function sendBody(outgoing: http.ClientRequest, body: RequestBody, touch: () => void, isOver: () => boolean): Promise<void> {
  let left = body.sizeBytes;
  for await (const chunk of body.open()) {
    left -= chunk.length;
    if (isOver()) return;
    touch();
    if (!outgoing.write(chunk)) await roomOrEnd(outgoing);
    if (isOver()) return;
    touch();
  }
  if (left > 0)
    throw new StrakeError('DataLoss', `what is to be sent ended ${left} bytes before its size of ${body.sizeBytes}`, { fields: { layer: 'distribution' } });
  outgoing.end();
}

const roomOrEndEvents = ['drain', 'response', 'close', 'error'] as const;

/** An error of the connection is told by the request itself. */
async function roomOrEnd(outgoing: http.ClientRequest): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const leave = () => resolve();
  for (const event of roomOrEndEvents) outgoing.on(event, leave);
  try {
    await promise;
  } finally {
    for (const event of roomOrEndEvents) outgoing.off(event, leave);
  }
}
