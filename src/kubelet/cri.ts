import { criImages, criRuntime } from '../api/cri/index.ts';
import { type Client, connectGrpc } from '../rpc/grpc/index.ts';

/** A container runtime, whoever's. */
export interface Cri {
  readonly runtime: Client<typeof criRuntime.RuntimeService>;
  readonly images: Client<typeof criImages.ImageService>;
}

/** Connects to the runtime at a unix socket, at the first call and after each loss again. */
export function connectCri(socketPath: string): Cri & Disposable {
  const connection = connectGrpc({ kind: 'unix', path: socketPath });
  return {
    runtime: connection.client(criRuntime.RuntimeService),
    images: connection.client(criImages.ImageService),
    [Symbol.dispose]: () => connection.close(),
  };
}

/** How long a call may take that only asks or notes something down. */
export const callTimeoutMs = 30_000;
/** Of those that make or end things: networks, processes. */
export const slowCallTimeoutMs = 240_000;
