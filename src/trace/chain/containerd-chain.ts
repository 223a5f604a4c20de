import { containers, introspection, tasks, version } from '../../api/containerd/index.ts';
import { isCode } from '../../base/index.ts';
import { connectGrpc, type GrpcConnection, inNamespace } from '../../rpc/grpc/index.ts';
import { linksAbove, processLink } from './ancestors.ts';
import type { ChainLink } from './link.ts';
import { withPids } from './with-pids.ts';

const callTimeoutMs = 10_000;

/** From a containerd, ours or the real one, down to the container's process. `address`: the path of its socket. */
export async function containerdChain(address: string, namespace: string, id: string): Promise<readonly ChainLink[]> {
  const connection = connectGrpc({ kind: 'unix', path: address });
  try {
    const own = connection.with(inNamespace(namespace));
    const limit = { timeoutMs: callTimeoutMs };
    const { container } = await own.client(containers.Containers).get({ id }, limit);
    const [product, server, pid] = await Promise.all([
      own.client(version.Version).version({}, limit),
      own.client(introspection.Introspection).server({}, limit),
      pidOf(own, id),
    ]);
    const heads: readonly ChainLink[] = [
      { seam: 'containerd', implementation: `containerd ${product.version}`, pid: Number(server.pid), sockets: [address] },
      { seam: 'runtime', implementation: container?.runtime?.name ?? '', pid: undefined, sockets: [] },
    ];
    return pid > 0 ? withPids(heads, [...linksAbove(pid), processLink(pid)]) : heads;
  } finally {
    connection.close();
  }
}

/** 0 for a container that has no task. */
async function pidOf(connection: GrpcConnection, id: string): Promise<number> {
  try {
    const { process } = await connection.client(tasks.Tasks).get({ containerId: id }, { timeoutMs: callTimeoutMs });
    return process?.pid ?? 0;
  } catch (error) {
    if (isCode(error, 'NotFound')) return 0;
    throw error;
  }
}
