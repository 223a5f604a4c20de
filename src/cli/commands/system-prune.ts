import { defineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { ExitStatus } from '../exit-status.ts';
import { filterQuery } from '../filters.ts';
import { humanSize } from '../format/units.ts';
import { confirm } from '../stdio/confirm.ts';

/** What was removed, under a title, and the bytes that this gave back. */
interface Pruned {
  readonly title: string;
  readonly lines: readonly string[];
  readonly bytes: number;
}

export const systemPrune = defineCommand({
  name: 'system prune',
  usage: '[OPTIONS]',
  summary: 'Remove stopped containers, unused networks and images without a name',
  flags: {
    all: { kind: 'bool', short: 'a', help: 'Remove all images that no container uses, not only those without a name' },
    filter: { kind: 'list', help: 'Only those that match (until=24h, label=…)' },
    force: { kind: 'bool', short: 'f', help: 'Do not ask' },
    volumes: { kind: 'bool', help: 'Remove unused anonymous volumes too' },
  },
  minArgs: 0,
  maxArgs: 0,
  async run(context, { values }) {
    const { filter, all, volumes } = values;
    if (volumes && filter.some((text) => /^\s*until\s*=/i.test(text))) throw new ExitStatus(1, 'ERROR: The "until" filter is not supported with "--volumes"');
    if (!values.force && !(await confirm(context, question(all, volumes, filter)))) throw new ExitStatus(1, 'system prune has been cancelled');
    let bytes = 0;
    // Containers first: they hold the others.
    for (const prune of [pruneContainers, pruneNetworks, ...(volumes ? [pruneVolumes] : []), async () => await pruneImages(context, filter, all)]) {
      const pruned = await prune(context, filter);
      bytes += pruned.bytes;
      if (pruned.lines.length > 0) context.out(`${pruned.title}:\n${pruned.lines.join('\n')}\n\n`);
    }
    context.out(`Total reclaimed space: ${humanSize(bytes)}\n`);
    return 0;
  },
});

function question(all: boolean, volumes: boolean, filter: readonly string[]): string {
  const warnings = [
    'all stopped containers',
    'all networks not used by at least one container',
    ...(volumes ? ['all anonymous volumes not used by at least one container'] : []),
    all ? 'all images without at least one container associated to them' : 'all dangling images',
  ];
  const list = (lines: readonly string[]) => lines.map((line) => `  - ${line}\n`).join('');
  return `WARNING! This will remove:\n${list(warnings)}${filter.length === 0 ? '' : `\n  Items to be pruned will be filtered with:\n${list(filter)}`}`;
}

async function pruneContainers({ client }: Context, filter: readonly string[]): Promise<Pruned> {
  const { ContainersDeleted: ids, SpaceReclaimed: bytes } = await client.post<{
    readonly ContainersDeleted: readonly string[] | null;
    readonly SpaceReclaimed: number;
  }>('/containers/prune', { query: { filters: filterQuery(filter) } });
  return { title: 'Deleted Containers', lines: ids ?? [], bytes };
}

async function pruneNetworks({ client }: Context, filter: readonly string[]): Promise<Pruned> {
  const { NetworksDeleted: names } = await client.post<{ readonly NetworksDeleted: readonly string[] | null }>('/networks/prune', {
    query: { filters: filterQuery(filter) },
  });
  return { title: 'Deleted Networks', lines: names ?? [], bytes: 0 };
}

async function pruneVolumes({ client }: Context, filter: readonly string[]): Promise<Pruned> {
  const { VolumesDeleted: names, SpaceReclaimed: bytes } = await client.post<{
    readonly VolumesDeleted: readonly string[] | null;
    readonly SpaceReclaimed: number;
  }>('/volumes/prune', { query: { filters: filterQuery(filter) } });
  return { title: 'Deleted Volumes', lines: names ?? [], bytes };
}

async function pruneImages({ client }: Context, filter: readonly string[], all: boolean): Promise<Pruned> {
  const { ImagesDeleted: items, SpaceReclaimed: bytes } = await client.post<{
    readonly ImagesDeleted: readonly { readonly Untagged?: string; readonly Deleted?: string }[] | null;
    readonly SpaceReclaimed: number;
  }>('/images/prune', { query: { filters: filterQuery(filter, { dangling: [String(!all)] }) } });
  const lines = (items ?? []).map(({ Untagged: untagged, Deleted: deleted }) => (untagged === undefined ? `deleted: ${deleted}` : `untagged: ${untagged}`));
  return { title: 'Deleted Images', lines, bytes };
}
