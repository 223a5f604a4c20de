import { formatEndpoint } from '../../docker-client/index.ts';
import { type ChainLink, containerdChain, criChain, engineChain } from '../../trace/index.ts';
import { defineCommand } from '../command.ts';
import { alignColumns } from '../format/table.ts';
import { UsageError } from '../usage-error.ts';

export const chain = defineCommand({
  name: 'chain',
  usage: '[OPTIONS] CONTAINER|POD',
  summary: 'Show what stands at each seam of a container or pod, and the sockets between',
  flags: {
    containerd: { kind: 'string', value: 'PATH', help: 'Ask the containerd at this socket, ours or the real one, instead of the engine' },
    namespace: { kind: 'string', short: 'n', help: 'Namespace of the container there (default "default")' },
    cri: { kind: 'string', value: 'PATH', help: 'Ask the container runtime interface at this socket, whoever serves it, for a container or a pod' },
    json: { kind: 'bool', help: 'Print JSON' },
  },
  minArgs: 1,
  maxArgs: 1,
  async run(context, { args: [container = ''], values: { containerd, cri, namespace, json } }) {
    if (namespace !== undefined && containerd === undefined) throw new UsageError('--namespace goes with --containerd');
    if (containerd !== undefined && cri !== undefined) throw new UsageError('--containerd and --cri exclude each other');
    const links =
      cri !== undefined
        ? await criChain(socketPath(cri), container)
        : containerd !== undefined
          ? await containerdChain(socketPath(containerd), namespace ?? 'default', container)
          : await engineChain(context.client, formatEndpoint(context.client.endpoint), container);
    context.out(json ? `${JSON.stringify(links, undefined, 2)}\n` : alignColumns([['SEAM', 'IMPLEMENTATION', 'PID', 'SOCKETS'], ...links.map(row)]));
    return 0;
  },
});

function socketPath(address: string): string {
  return address.replace(/^unix:\/\//, '');
}

function row({ seam, implementation, pid, sockets }: ChainLink): readonly string[] {
  return [seam, implementation, pid === undefined ? '-' : String(pid), sockets.length > 0 ? sockets.join(' ') : '-'];
}
