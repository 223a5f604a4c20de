import { shortId } from '../../base/index.ts';
import { defineCommand } from '../command.ts';
import { filterQuery } from '../filters.ts';
import { type ListedPort, portList } from '../format/port-list.ts';
import { formatList, type ListFormat } from '../format/table.ts';
import { ago, humanSize } from '../format/units.ts';

interface ContainerSummary {
  readonly Id: string;
  readonly Names: readonly string[];
  readonly Image: string;
  readonly Command: string;
  readonly Created: number;
  readonly State: string;
  readonly Status: string;
  readonly Ports: readonly ListedPort[];
  readonly Labels: Readonly<Record<string, string>> | null;
  readonly Mounts: readonly { readonly Type: string; readonly Name?: string; readonly Source: string; readonly Driver?: string }[];
  readonly NetworkSettings?: { readonly Networks?: Readonly<Record<string, unknown>> };
  readonly SizeRw?: number;
  readonly SizeRootFs?: number;
}

export const ps = defineCommand({
  name: 'ps',
  usage: '[OPTIONS]',
  summary: 'List containers',
  flags: {
    all: { kind: 'bool', short: 'a', help: 'Show stopped ones too' },
    filter: { kind: 'list', short: 'f', help: 'Show only what matches (status=exited, name=web, …)' },
    format: { kind: 'string', help: "Format: 'table', 'table TEMPLATE', 'json', or a Go template" },
    last: { kind: 'int', short: 'n', help: 'Show the last N created, in every state' },
    latest: { kind: 'bool', short: 'l', help: 'Show the last created, in every state' },
    'no-trunc': { kind: 'bool', help: 'Do not shorten' },
    quiet: { kind: 'bool', short: 'q', help: 'Show ids only' },
    size: { kind: 'bool', short: 's', help: 'Show sizes' },
  },
  minArgs: 0,
  maxArgs: 0,
  async run(context, { values }) {
    const limit = values.latest ? 1 : values.last;
    const rows = await context.client.get<readonly ContainerSummary[]>('/containers/json', {
      query: { all: values.all, limit, size: values.size, filters: filterQuery(values.filter) },
    });
    const format = values.quiet ? '{{.ID}}' : values.format;
    context.out(formatList(rows, format, listFormat(values['no-trunc'], values.size)));
    return 0;
  },
});

const defaultFields = ['ID', 'Image', 'Command', 'RunningFor', 'Status', 'Ports', 'Names'];

function listFormat(full: boolean, size: boolean): ListFormat<ContainerSummary> {
  return {
    defaultFields: size ? [...defaultFields, 'Size'] : defaultFields,
    columns: [
      { field: 'ID', heading: 'CONTAINER ID', value: (row) => (full ? row.Id : shortId(row.Id)) },
      { field: 'Image', heading: 'IMAGE', value: (row) => row.Image },
      { field: 'Command', heading: 'COMMAND', value: (row) => JSON.stringify(full ? row.Command : ellipsis(row.Command, 20)) },
      { field: 'CreatedAt', heading: 'CREATED AT', value: (row) => goTime(row.Created) },
      { field: 'RunningFor', heading: 'CREATED', value: (row) => ago(row.Created) },
      { field: 'Status', heading: 'STATUS', value: (row) => row.Status },
      { field: 'State', heading: 'STATE', value: (row) => row.State },
      { field: 'Ports', heading: 'PORTS', value: (row) => portList(row.Ports) },
      { field: 'Names', heading: 'NAMES', value: (row) => row.Names.map((name) => name.replace(/^\//, '')).join(',') },
      { field: 'Size', heading: 'SIZE', value: (row) => sizeText(row) },
      {
        field: 'Labels',
        heading: 'LABELS',
        value: (row) =>
          Object.entries(row.Labels ?? {})
            .map(([key, value]) => `${key}=${value}`)
            .join(','),
      },
      {
        field: 'Mounts',
        heading: 'MOUNTS',
        value: (row) => row.Mounts.map((mount) => (full ? (mount.Name ?? mount.Source) : ellipsis(mount.Name ?? mount.Source, 15))).join(','),
      },
      { field: 'LocalVolumes', heading: 'LOCAL VOLUMES', value: (row) => row.Mounts.filter((mount) => mount.Driver === 'local').length },
      { field: 'Networks', heading: 'NETWORKS', value: (row) => Object.keys(row.NetworkSettings?.Networks ?? {}).join(',') },
    ],
    methods: (row) => ({ Label: (name) => row.Labels?.[String(name)] ?? '' }),
  };
}

/** Docker's way to shorten: an ellipsis as the last character. */
export function ellipsis(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}

/** Go's time.Time.String in local time: "2026-01-02 15:04:05 +0000 UTC". */
function goTime(unixSeconds: number): string {
  const date = new Date(unixSeconds * 1000);
  const offset = -date.getTimezoneOffset();
  const local = new Date(date.getTime() + offset * 60_000).toISOString().slice(0, 19).replace('T', ' ');
  const pad = (value: number) => String(value).padStart(2, '0');
  const zone = `${offset < 0 ? '-' : '+'}${pad(Math.trunc(Math.abs(offset) / 60))}${pad(Math.abs(offset) % 60)}`;
  return `${local} ${zone} ${offset === 0 ? 'UTC' : zone}`;
}

function sizeText(row: ContainerSummary): string {
  const own = humanSize(row.SizeRw ?? 0, 3);
  return row.SizeRootFs ? `${own} (virtual ${humanSize(row.SizeRootFs, 3)})` : own;
}
