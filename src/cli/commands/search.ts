import { defineCommand } from '../command.ts';
import { filterQuery } from '../filters.ts';
import { formatList, type ListFormat } from '../format/table.ts';
import { registryAuthHeader } from '../registry-auth/credentials.ts';
import { ellipsis } from './ps.ts';

interface Found {
  readonly name: string;
  readonly description: string;
  readonly star_count: number;
  readonly is_official: boolean;
}

export const search = defineCommand({
  name: 'search',
  usage: '[OPTIONS] TERM',
  summary: 'Search the Hub, or the catalogue of a registry, for images',
  flags: {
    filter: { kind: 'list', short: 'f', help: 'Show only what matches (stars=3, is-official=true)' },
    format: { kind: 'string', help: "Format: 'table', 'table TEMPLATE', 'json', or a Go template" },
    limit: { kind: 'int', help: 'At most so many (1 to 100)' },
    'no-trunc': { kind: 'bool', help: 'Do not shorten' },
  },
  minArgs: 1,
  maxArgs: 1,
  async run(context, { values, args: [term = ''] }) {
    const query = { term, limit: values.limit, filters: filterQuery(values.filter) };
    const found = await context.client.get<readonly Found[]>('/images/search', { query, headers: registryAuthHeader(term, context.env) });
    context.out(formatList(found, values.format, listFormat(values['no-trunc'])));
    return 0;
  },
});

function listFormat(full: boolean): ListFormat<Found> {
  return {
    defaultFields: ['Name', 'Description', 'StarCount', 'IsOfficial'],
    columns: [
      { field: 'Name', heading: 'NAME', value: ({ name }) => name },
      { field: 'Description', heading: 'DESCRIPTION', value: ({ description }) => (full ? description : ellipsis(description.replaceAll(/\s+/g, ' '), 45)) },
      { field: 'StarCount', heading: 'STARS', value: (item) => String(item.star_count) },
      { field: 'IsOfficial', heading: 'OFFICIAL', value: (item) => (item.is_official ? '[OK]' : '') },
    ],
  };
}
