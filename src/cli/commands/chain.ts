import { formatEndpoint } from '../../docker-client/index.ts';
import { type ChainLink, containerdChain, engineChain } from '../../trace/index.ts';
import { defineCommand } from '../command.ts';
import { alignColumns } from '../format/table.ts';
import { UsageError } from '../usage-error.ts';

export const chain = defineCommand({
  name: 'chain',
  usage: '[OPTIONS] CONTAINER',
  summary: 'Show what stands at each seam of a container, and the sockets between',
  flags: {
    containerd: { kind: 'string', value: 'PATH', help: 'Ask the containerd at this socket, ours or the real one, instead of the engine' },
    namespace: { kind: 'string', short: 'n', help: 'Namespace of the container there (default "default")' },
    json: { kind: 'bool', help: 'Print JSON' },
  },
  minArgs: 1,
  maxArgs: 1,
  async run(context, { args: [container = ''], values: { containerd, namespace, json } }) {
    if (namespace !== undefined && containerd === undefined) throw new UsageError('--namespace goes with --containerd');
    const links =
      containerd === undefined
        ? await engineChain(context.client, formatEndpoint(context.client.endpoint), container)
        : await containerdChain(containerd.replace(/^unix:\/\//, ''), namespace ?? 'default', container);
    context.out(json ? `${JSON.stringify(links, undefined, 2)}\n` : alignColumns([['SEAM', 'IMPLEMENTATION', 'PID', 'SOCKETS'], ...links.map(row)]));
    return 0;
  },
});

function row({ seam, implementation, pid, sockets }: ChainLink): readonly string[] {
  return [seam, implementation, pid === undefined ? '-' : String(pid), sockets.length > 0 ? sockets.join(' ') : '-'];
}
