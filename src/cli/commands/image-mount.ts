import { shortId } from '../../base/index.ts';
import { defineCommand } from '../command.ts';
import { forEachName } from '../for-each.ts';
import { formatList, type ListFormat } from '../format/table.ts';

interface Mounted {
  readonly Id: string;
  readonly Names: readonly string[];
  readonly Path: string;
}

export const imageMount = defineCommand({
  name: 'image mount',
  usage: '[OPTIONS] [IMAGE...]',
  summary: "Show an image's files as a directory, read-only; without an image, list what is shown",
  flags: { format: { kind: 'string', help: "Format of the list: 'table', 'table TEMPLATE', 'json', or a Go template" } },
  minArgs: 0,
  maxArgs: Number.POSITIVE_INFINITY,
  async run(context, { values, args }) {
    if (args.length === 0) {
      context.out(formatList(await context.client.get<readonly Mounted[]>('/strake/image-mounts'), values.format, listFormat));
      return 0;
    }
    return await forEachName(context, args, async (image) => (await context.client.post<Mounted>(`/strake/images/${encodeURIComponent(image)}/mount`)).Path);
  },
});

export const imageUnmount = defineCommand({
  name: 'image unmount',
  usage: '[OPTIONS] [IMAGE...]',
  summary: 'Take the directories of image mount away',
  flags: { all: { kind: 'bool', short: 'a', help: 'All of them' } },
  minArgs: 0,
  maxArgs: Number.POSITIVE_INFINITY,
  async run(context, { values, args }) {
    const images = values.all ? (await context.client.get<readonly Mounted[]>('/strake/image-mounts')).map(({ Id: id }) => id) : args;
    return await forEachName(context, images, async (image) => {
      await context.client.delete(`/strake/images/${encodeURIComponent(image)}/mount`);
      return image;
    });
  },
});

const listFormat: ListFormat<Mounted> = {
  defaultFields: ['ID', 'Names', 'Path'],
  columns: [
    { field: 'ID', heading: 'IMAGE ID', value: ({ Id: id }) => shortId(id) },
    { field: 'Names', heading: 'NAMES', value: ({ Names: names }) => names.join(', ') || '<none>' },
    { field: 'Path', heading: 'PATH', value: ({ Path: path }) => path },
  ],
};
