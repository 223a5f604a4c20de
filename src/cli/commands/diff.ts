import { defineCommand } from '../command.ts';
import { formatList } from '../format/table.ts';

/** `Kind` of the Engine API. */
const letters = ['C', 'A', 'D'] as const;

interface Change {
  readonly Path: string;
  readonly Kind: number;
}

export const diff = defineCommand({
  name: 'diff',
  usage: 'CONTAINER',
  summary: "Show what a container changed in its image's files: A added, C changed, D deleted",
  flags: {},
  minArgs: 1,
  maxArgs: 1,
  async run(context, { args: [container = ''] }) {
    const changes = await context.client.get<readonly Change[] | null>(`/containers/${encodeURIComponent(container)}/changes`);
    context.out(
      formatList(changes ?? [], '{{.Type}} {{.Path}}', {
        defaultFields: ['Type', 'Path'],
        columns: [
          { field: 'Type', heading: 'CHANGE TYPE', value: ({ Kind: kind }) => letters[kind] ?? '?' },
          { field: 'Path', heading: 'PATH', value: ({ Path: path }) => path },
        ],
      }),
    );
    return 0;
  },
});
