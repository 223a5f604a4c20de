import { shortId } from '../../base/index.ts';
import { defineCommand } from '../command.ts';
import { formatList, type ListFormat } from '../format/table.ts';
import { ago, humanSize } from '../format/units.ts';
import { ellipsis } from './ps.ts';

interface HistoryItem {
  readonly Id: string;
  readonly Created: number;
  readonly CreatedBy: string;
  readonly Size: number;
  readonly Comment: string;
}

export const history = defineCommand({
  name: 'history',
  usage: '[OPTIONS] IMAGE',
  summary: 'Show the steps that made an image',
  flags: {
    format: { kind: 'string', help: "Format: 'table', 'table TEMPLATE', 'json', or a Go template" },
    human: { kind: 'bool', short: 'H', on: true, help: 'Sizes and times for people' },
    'no-trunc': { kind: 'bool', help: 'Do not shorten' },
    quiet: { kind: 'bool', short: 'q', help: 'Show ids only' },
  },
  minArgs: 1,
  maxArgs: 1,
  async run(context, { values, args }) {
    const items = await context.client.get<readonly HistoryItem[]>(`/images/${encodeURIComponent(args[0] ?? '')}/history`);
    context.out(formatList(items, values.quiet ? '{{.ID}}' : values.format, listFormat(values['no-trunc'], values.human)));
    return 0;
  },
});

function listFormat(full: boolean, human: boolean): ListFormat<HistoryItem> {
  return {
    defaultFields: ['ID', 'CreatedSince', 'CreatedBy', 'Size', 'Comment'],
    columns: [
      { field: 'ID', heading: 'IMAGE', value: (item) => (full || item.Id === '<missing>' ? item.Id : shortId(item.Id)) },
      { field: 'CreatedSince', heading: 'CREATED', value: (item) => (human ? ago(item.Created) : new Date(item.Created * 1000).toISOString()) },
      { field: 'CreatedAt', heading: 'CREATED AT', value: (item) => new Date(item.Created * 1000).toISOString() },
      { field: 'CreatedBy', heading: 'CREATED BY', value: (item) => (full ? item.CreatedBy : ellipsis(item.CreatedBy.replaceAll('\t', ' '), 45)) },
      { field: 'Size', heading: 'SIZE', value: (item) => (human ? humanSize(item.Size, 3) : String(item.Size)) },
      { field: 'Comment', heading: 'COMMENT', value: (item) => item.Comment },
    ],
  };
}
