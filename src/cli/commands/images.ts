import { shortId } from '../../base/index.ts';
import { defineCommand } from '../command.ts';
import { filterQuery } from '../filters.ts';
import { formatList, type ListFormat } from '../format/table.ts';
import { ago, humanSize } from '../format/units.ts';

interface ImageSummary {
  readonly Id: string;
  readonly RepoTags: readonly string[] | null;
  readonly RepoDigests: readonly string[] | null;
  readonly Created: number;
  readonly Size: number;
  readonly Labels: Readonly<Record<string, string>> | null;
}

interface Row {
  readonly image: ImageSummary;
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
}

export const images = defineCommand({
  name: 'images',
  usage: '[OPTIONS] [REPOSITORY[:TAG]]',
  summary: 'List images',
  flags: {
    all: { kind: 'bool', short: 'a', help: 'Show intermediate images too' },
    digests: { kind: 'bool', help: 'Show digests' },
    filter: { kind: 'list', short: 'f', help: 'Show only what matches (dangling=true, reference=…)' },
    format: { kind: 'string', help: "Format: 'table', 'table TEMPLATE', 'json', or a Go template" },
    'no-trunc': { kind: 'bool', help: 'Do not shorten' },
    quiet: { kind: 'bool', short: 'q', help: 'Show ids only' },
  },
  minArgs: 0,
  maxArgs: 1,
  async run(context, { values, args }) {
    const filters = filterQuery(values.filter, args[0] === undefined ? {} : { reference: [args[0]] });
    const found = await context.client.get<readonly ImageSummary[]>('/images/json', { query: { all: values.all, filters } });
    const rows = found.toSorted((a, b) => b.Created - a.Created).flatMap((image) => rowsOf(image, values.digests));
    if (values.quiet) {
      const ids = new Set(rows.map(({ image }) => (values['no-trunc'] ? image.Id : shortId(image.Id))));
      context.out([...ids].map((id) => `${id}\n`).join(''));
      return 0;
    }
    context.out(formatList(rows, values.format, listFormat(values['no-trunc'], values.digests)));
    return 0;
  },
});

/** One row for each name; without any, one of `<none>`. */
function rowsOf(image: ImageSummary, digests: boolean): Row[] {
  const digestOf = new Map((image.RepoDigests ?? []).map((name) => [name.slice(0, name.indexOf('@')), name.slice(name.indexOf('@') + 1)]));
  const tagged = (image.RepoTags ?? []).map((name) => {
    const colon = name.lastIndexOf(':');
    const repository = name.slice(0, colon);
    return { image, repository, tag: name.slice(colon + 1), digest: digestOf.get(repository) ?? '<none>' };
  });
  if (tagged.length > 0) return tagged;
  const byDigest = [...digestOf].map(([repository, digest]) => ({ image, repository, tag: '<none>', digest: digests ? digest : '<none>' }));
  return byDigest.length > 0 ? byDigest : [{ image, repository: '<none>', tag: '<none>', digest: '<none>' }];
}

function listFormat(full: boolean, digests: boolean): ListFormat<Row> {
  return {
    defaultFields: digests ? ['Repository', 'Tag', 'Digest', 'ID', 'CreatedSince', 'Size'] : ['Repository', 'Tag', 'ID', 'CreatedSince', 'Size'],
    columns: [
      { field: 'Repository', heading: 'REPOSITORY', value: (row) => row.repository },
      { field: 'Tag', heading: 'TAG', value: (row) => row.tag },
      { field: 'Digest', heading: 'DIGEST', value: (row) => row.digest },
      { field: 'ID', heading: 'IMAGE ID', value: (row) => (full ? row.image.Id : shortId(row.image.Id)) },
      { field: 'CreatedSince', heading: 'CREATED', value: (row) => (row.image.Created > 0 ? ago(row.image.Created) : 'N/A') },
      { field: 'CreatedAt', heading: 'CREATED AT', value: (row) => new Date(row.image.Created * 1000).toISOString() },
      { field: 'Size', heading: 'SIZE', value: (row) => humanSize(row.image.Size, 3) },
    ],
  };
}
