import { criContainer, criRuntime } from '../../api/cri/index.ts';
import { isCode, StrakeError } from '../../base/index.ts';
import { type Client, connectGrpc } from '../../rpc/grpc/index.ts';
import { linksAbove, processLink } from './ancestors.ts';
import type { ChainLink } from './link.ts';
import { withPids } from './with-pids.ts';

const limit = { timeoutMs: 10_000 };
type Runtime = Client<typeof criRuntime.RuntimeService>;

/** From a CRI, whoever's, down to a container's process; of a pod, down to that of its first running container. `address`: the path of its socket. */
export async function criChain(address: string, id: string): Promise<readonly ChainLink[]> {
  const connection = connectGrpc({ kind: 'unix', path: address });
  try {
    const client = connection.client(criRuntime.RuntimeService);
    const pod = await podOf(client, id);
    const [version, sandbox, pid] = await Promise.all([
      client.version({}, limit),
      client.podSandboxStatus({ podSandboxId: pod.podId }, limit),
      pod.containerId === undefined ? 0 : pidOf(client, pod.containerId),
    ]);
    const heads: readonly ChainLink[] = [
      { seam: 'cri', implementation: `${version.runtimeName} ${version.runtimeVersion}`, pid: undefined, sockets: [address] },
      { seam: 'runtime', implementation: sandbox.status?.runtimeHandler || 'the default', pid: undefined, sockets: [] },
    ];
    return pid > 0 ? withPids(heads, [...linksAbove(pid), processLink(pid)]) : heads;
  } finally {
    connection.close();
  }
}

/** An id may be the beginning of one. NotFound for neither a container nor a pod. */
async function podOf(client: Runtime, id: string): Promise<{ readonly podId: string; readonly containerId: string | undefined }> {
  const { containers } = await client.listContainers({ filter: { id } }, limit);
  const [container] = containers;
  if (container !== undefined) return { podId: container.podSandboxId, containerId: container.id };
  const [pod] = (await client.listPodSandbox({ filter: { id } }, limit)).items;
  if (pod === undefined) throw new StrakeError('NotFound', `no container or pod ${id}`, { fields: { layer: 'trace' } });
  const members = (await client.listContainers({ filter: { podSandboxId: pod.id, state: { state: criContainer.ContainerState.CONTAINER_RUNNING } } }, limit))
    .containers;
  return { podId: pod.id, containerId: members[0]?.id };
}

/** As containerd, CRI-O and ours tell it to who asks for all they know; 0 for a container without a process. */
async function pidOf(client: Runtime, containerId: string): Promise<number> {
  try {
    const { info } = await client.containerStatus({ containerId, verbose: true }, limit);
    const { pid } = JSON.parse(info['info'] ?? '{}') as { readonly pid?: unknown };
    return typeof pid === 'number' ? pid : 0;
  } catch (error) {
    if (isCode(error, 'NotFound')) return 0;
    throw error;
  }
}
