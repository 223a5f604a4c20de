import { defineCommand } from '../command.ts';
import { filterQuery } from '../filters.ts';
import { humanSize } from '../format/units.ts';
import { confirm } from '../stdio/confirm.ts';

interface Pruned {
  readonly ImagesDeleted: readonly { readonly Untagged?: string; readonly Deleted?: string }[] | null;
  readonly SpaceReclaimed: number;
}

export const imagePrune = defineCommand({
  name: 'image prune',
  usage: '[OPTIONS]',
  summary: 'Remove unused images',
  flags: {
    all: { kind: 'bool', short: 'a', help: 'Remove all images that no container uses, not only those without a name' },
    filter: { kind: 'list', help: 'Only those that match (until=24h, label=…)' },
    force: { kind: 'bool', short: 'f', help: 'Do not ask' },
  },
  minArgs: 0,
  maxArgs: 0,
  async run(context, { values }) {
    const what = values.all ? 'all images without at least one container associated to them' : 'all dangling images';
    if (!values.force && !(await confirm(context, `WARNING! This will remove ${what}.`))) return 0;
    const filters = filterQuery(values.filter, { dangling: [String(!values.all)] });
    const { ImagesDeleted: items, SpaceReclaimed: bytes } = await context.client.post<Pruned>('/images/prune', { query: { filters } });
    const lines = (items ?? []).map(({ Untagged: untagged, Deleted: deleted }) =>
      untagged === undefined ? `deleted: ${deleted}\n` : `untagged: ${untagged}\n`,
    );
    context.out(`${lines.length === 0 ? '' : `Deleted Images:\n${lines.join('')}\n`}Total reclaimed space: ${humanSize(bytes)}\n`);
    return 0;
  },
});
