import type { Launcher, PortRelay } from '../kernel/index.ts';

const cloneNewNet = 0x4000_0000;
/** For a connection over the loopback interface: whoever listens answers at once, or its queue is full. */
const connectTimeoutMs = 10_000;

export interface DialPort {
  /** The path of a network namespace; the machine's own when absent. */
  readonly networkNamespace?: string;
  readonly port: number;
  /** Aborting closes the connection. */
  readonly signal?: AbortSignal;
}

export interface PortDialer {
  /** Connects to the port of the loopback interface there. Unavailable, with errno, when nobody listens. */
  dial(options: DialPort): Promise<PortRelay>;
}

export function createPortDialer(launcher: Pick<Launcher, 'portRelay'>): PortDialer {
  return {
    dial: async ({ networkNamespace, port, signal }) =>
      await launcher.portRelay(
        [
          ...(networkNamespace === undefined
            ? []
            : ([
                { op: 'open', side: 'host', out: 0, path: networkNamespace, mode: 0 },
                { op: 'join', side: 'host', fd: 0, flags: cloneNewNet },
              ] as const)),
          { op: 'relay_port', side: 'host', port, timeoutMs: connectTimeoutMs },
        ],
        { timeoutMs: 2 * connectTimeoutMs + 5_000, ...(signal === undefined ? {} : { signal }) },
      ),
  };
}
