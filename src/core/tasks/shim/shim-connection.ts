import { shimSandbox, shimTask, shimTaskV2 } from '../../../api/containerd/index.ts';
import { StrakeError } from '../../../base/index.ts';
import { type CallOptions, createTtrpcClient, type ServiceClient, TtrpcConnection } from '../../../rpc/ttrpc/index.ts';
import type { ShimEndpoint } from './shim-tasks.ts';

const { Task } = shimTask;
export type TaskService = ServiceClient<typeof Task>;
type Method = keyof (typeof Task)['method'];

/** A shim that does not answer within is hung, or its runtime is. `wait` ends when the process does. */
const timeoutsMs: Readonly<Record<Exclude<Method, 'wait'>, number>> = {
  state: 10_000,
  create: 120_000,
  start: 60_000,
  delete: 60_000,
  pids: 10_000,
  pause: 60_000,
  resume: 60_000,
  checkpoint: 600_000,
  kill: 30_000,
  exec: 60_000,
  resizePty: 10_000,
  closeIO: 10_000,
  update: 30_000,
  stats: 10_000,
  connect: 10_000,
  shutdown: 3_000,
};

/** A connection to a shim. */
export interface ShimConnection {
  readonly task: TaskService;
  readonly ended: Promise<void>;
  close(): void;
}

export interface ConnectShim {
  readonly endpoint: ShimEndpoint;
  readonly namespace: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Unavailable when nothing listens at the address; Unimplemented for one in a virtual machine, and for a shim that speaks gRPC. */
async function open({ endpoint, timeoutMs, signal }: ConnectShim): Promise<TtrpcConnection> {
  const socketPath = /^unix:\/\/(\/.*)$/.exec(endpoint.address)?.[1];
  if (socketPath === undefined)
    throw new StrakeError('Unimplemented', `a shim at ${endpoint.address} cannot be reached: only unix sockets can`, { fields: { layer: 'core' } });
  if (endpoint.protocol !== 'ttrpc')
    throw new StrakeError('Unimplemented', `the shim at ${endpoint.address} speaks ${endpoint.protocol}, not ttrpc`, { fields: { layer: 'core' } });
  return await TtrpcConnection.open(socketPath, { timeoutMs, signal });
}

const headersOf = (namespace: string) => ({ 'containerd-namespace-ttrpc': namespace });

/** Of the task that the shim was started for, or of one of its others. Fails as `open`. */
export async function connectShim(options: ConnectShim): Promise<ShimConnection> {
  const { endpoint, namespace } = options;
  const connection = await open(options);
  const headers = headersOf(namespace);
  const client = endpoint.version === 2 ? createTtrpcClient(shimTaskV2.Task, connection, { headers }) : createTtrpcClient(Task, connection, { headers });
  return { task: withTimeouts(client as TaskService), ended: connection.ended, close: () => connection.close() };
}

/** A shim that serves a sandbox. */
export interface SandboxConnection extends ShimConnection {
  readonly sandbox: ServiceClient<typeof shimSandbox.Sandbox>;
}

/** Fails as `connectShim`. */
export async function connectShimSandbox(options: ConnectShim): Promise<SandboxConnection> {
  const connection = await open(options);
  const headers = headersOf(options.namespace);
  const sandbox = createTtrpcClient(shimSandbox.Sandbox, connection, { headers });
  return { sandbox, task: createTtrpcClient(Task, connection, { headers }), ended: connection.ended, close: () => connection.close() };
}

function withTimeouts(service: TaskService): TaskService {
  const calls = service as unknown as Readonly<Record<string, (request: unknown, options?: CallOptions) => Promise<unknown>>>;
  const timed = Object.entries(calls).map(([name, call]) => {
    const timeoutMs = name === 'wait' ? undefined : timeoutsMs[name as Exclude<Method, 'wait'>];
    return [name, (request: unknown, options: CallOptions = {}) => call(request, { timeoutMs, ...options })];
  });
  return Object.fromEntries(timed) as unknown as TaskService;
}
