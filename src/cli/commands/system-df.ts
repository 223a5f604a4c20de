import { shortId } from '../../base/index.ts';
import { defineCommand } from '../command.ts';
import { formatList } from '../format/table.ts';
import { ago, humanSize } from '../format/units.ts';
import { ellipsis } from './ps.ts';

interface DiskUsage {
  readonly LayersSize: number;
  readonly Images: readonly ImageUsage[] | null;
  readonly Containers: readonly ContainerUsage[] | null;
  readonly Volumes: readonly VolumeUsage[] | null;
}

interface ImageUsage {
  readonly Id: string;
  readonly RepoTags: readonly string[] | null;
  readonly Created: number;
  readonly Size: number;
  readonly SharedSize: number;
  readonly Containers: number;
}

interface ContainerUsage {
  readonly Id: string;
  readonly Names: readonly string[];
  readonly Image: string;
  readonly Command: string;
  readonly Created: number;
  readonly State: string;
  readonly Status: string;
  readonly SizeRw?: number;
  readonly Mounts: readonly { readonly Driver?: string }[];
}

interface VolumeUsage {
  readonly Name: string;
  readonly UsageData: { readonly Size: number; readonly RefCount: number } | null;
}

/** A line of the summary, in bytes. */
export interface UsageRow {
  readonly type: string;
  readonly total: number;
  readonly active: number;
  readonly bytes: number;
  readonly reclaimable: number;
}

const activeStates = new Set(['running', 'paused', 'restarting']);

export const systemDf = defineCommand({
  name: 'system df',
  usage: '[OPTIONS]',
  summary: 'Show what images, containers and volumes take on the disk',
  flags: {
    format: { kind: 'string', help: "Format: 'table', 'table TEMPLATE', 'json', or a Go template" },
    verbose: { kind: 'bool', short: 'v', help: 'Show each of them' },
  },
  minArgs: 0,
  maxArgs: 0,
  async run(context, { values }) {
    const usage = await context.client.get<DiskUsage>('/system/df');
    context.out(values.verbose ? formatVerbose(usage) : formatSummary(usageRows(usage), values.format));
    return 0;
  },
});

/** Docker's counting: what an image shares with others is not freed by removing it. */
export function usageRows({ LayersSize: layers, Images: images, Containers: containers, Volumes: volumes }: DiskUsage): readonly UsageRow[] {
  const sum = <Item>(items: readonly Item[], bytes: (item: Item) => number) => items.reduce((total, item) => total + bytes(item), 0);
  const usedImages = (images ?? []).filter(({ Containers: users }) => users > 0);
  const active = (containers ?? []).filter(({ State: state }) => activeStates.has(state));
  const used = (volumes ?? []).filter(({ UsageData: data }) => (data?.RefCount ?? 0) > 0);
  const writable = sum(containers ?? [], ({ SizeRw: bytes = 0 }) => bytes);
  const inVolumes = sum(volumes ?? [], ({ UsageData: data }) => Math.max(0, data?.Size ?? 0));
  return [
    {
      type: 'Images',
      total: images?.length ?? 0,
      active: usedImages.length,
      bytes: layers,
      reclaimable: layers - sum(usedImages, ({ Size: size, SharedSize: shared }) => size - Math.max(0, shared)),
    },
    {
      type: 'Containers',
      total: containers?.length ?? 0,
      active: active.length,
      bytes: writable,
      reclaimable: writable - sum(active, ({ SizeRw: bytes = 0 }) => bytes),
    },
    {
      type: 'Local Volumes',
      total: volumes?.length ?? 0,
      active: used.length,
      bytes: inVolumes,
      reclaimable: inVolumes - sum(used, ({ UsageData: data }) => Math.max(0, data?.Size ?? 0)),
    },
    { type: 'Build Cache', total: 0, active: 0, bytes: 0, reclaimable: 0 },
  ];
}

export function formatSummary(rows: readonly UsageRow[], format: string | undefined): string {
  return formatList(rows, format, {
    defaultFields: ['Type', 'TotalCount', 'Active', 'Size', 'Reclaimable'],
    columns: [
      { field: 'Type', heading: 'TYPE', value: ({ type }) => type },
      { field: 'TotalCount', heading: 'TOTAL', value: ({ total }) => String(total) },
      { field: 'Active', heading: 'ACTIVE', value: ({ active }) => String(active) },
      { field: 'Size', heading: 'SIZE', value: ({ bytes }) => humanSize(bytes) },
      {
        field: 'Reclaimable',
        heading: 'RECLAIMABLE',
        value: ({ bytes, reclaimable }) => `${humanSize(reclaimable)}${bytes > 0 ? ` (${Math.trunc((reclaimable * 100) / bytes)}%)` : ''}`,
      },
    ],
  });
}

function formatVerbose({ Images: images, Containers: containers, Volumes: volumes }: DiskUsage): string {
  const imageTable = formatList(images ?? [], undefined, {
    defaultFields: ['Repository', 'Tag', 'ID', 'CreatedSince', 'Size', 'SharedSize', 'UniqueSize', 'Containers'],
    columns: [
      { field: 'Repository', heading: 'REPOSITORY', value: (image) => nameOf(image).repository },
      { field: 'Tag', heading: 'TAG', value: (image) => nameOf(image).tag },
      { field: 'ID', heading: 'IMAGE ID', value: ({ Id: id }) => shortId(id) },
      { field: 'CreatedSince', heading: 'CREATED', value: ({ Created: created }) => ago(created) },
      { field: 'Size', heading: 'SIZE', value: ({ Size: size }) => humanSize(size, 3) },
      { field: 'SharedSize', heading: 'SHARED SIZE', value: ({ SharedSize: shared }) => humanSize(Math.max(0, shared)) },
      { field: 'UniqueSize', heading: 'UNIQUE SIZE', value: ({ Size: size, SharedSize: shared }) => humanSize(size - Math.max(0, shared)) },
      { field: 'Containers', heading: 'CONTAINERS', value: ({ Containers: users }) => String(users) },
    ],
  });
  const containerTable = formatList(containers ?? [], undefined, {
    defaultFields: ['ID', 'Image', 'Command', 'LocalVolumes', 'Size', 'RunningFor', 'Status', 'Names'],
    columns: [
      { field: 'ID', heading: 'CONTAINER ID', value: ({ Id: id }) => shortId(id) },
      { field: 'Image', heading: 'IMAGE', value: ({ Image: image }) => image },
      { field: 'Command', heading: 'COMMAND', value: ({ Command: command }) => JSON.stringify(ellipsis(command, 20)) },
      {
        field: 'LocalVolumes',
        heading: 'LOCAL VOLUMES',
        value: ({ Mounts: mounts }) => String(mounts.filter(({ Driver: driver }) => driver === 'local').length),
      },
      { field: 'Size', heading: 'SIZE', value: ({ SizeRw: bytes = 0 }) => humanSize(bytes, 3) },
      { field: 'RunningFor', heading: 'CREATED', value: ({ Created: created }) => ago(created) },
      { field: 'Status', heading: 'STATUS', value: ({ Status: status }) => status },
      { field: 'Names', heading: 'NAMES', value: ({ Names: names }) => names.map((name) => name.replace(/^\//, '')).join(',') },
    ],
  });
  const volumeTable = formatList(volumes ?? [], undefined, {
    defaultFields: ['Name', 'Links', 'Size'],
    columns: [
      { field: 'Name', heading: 'VOLUME NAME', value: ({ Name: name }) => name },
      { field: 'Links', heading: 'LINKS', value: ({ UsageData: data }) => String(data?.RefCount ?? 0) },
      { field: 'Size', heading: 'SIZE', value: ({ UsageData: data }) => humanSize(Math.max(0, data?.Size ?? 0)) },
    ],
  });
  return `Images space usage:\n\n${imageTable}\nContainers space usage:\n\n${containerTable}\nLocal Volumes space usage:\n\n${volumeTable}`;
}

function nameOf({ RepoTags: tags }: ImageUsage): { readonly repository: string; readonly tag: string } {
  const [name] = tags ?? [];
  if (name === undefined) return { repository: '<none>', tag: '<none>' };
  const colon = name.lastIndexOf(':');
  return { repository: name.slice(0, colon), tag: name.slice(colon + 1) };
}
