import { defineCommand } from '../command.ts';

interface Difference {
  readonly Config?: readonly { readonly Name: string; readonly From?: string; readonly To?: string }[];
  readonly Files?: readonly { readonly Path: string; readonly Kind: number }[];
}

/** `Kind` of the Engine API. */
const letters = ['C', 'A', 'D'] as const;

export const imageDiff = defineCommand({
  name: 'image diff',
  usage: '[OPTIONS] IMAGE IMAGE',
  summary: 'Show what differs between two images: configuration (-, +), then files (A added, C changed, D deleted)',
  flags: {
    config: { kind: 'bool', help: 'The configuration alone' },
    files: { kind: 'bool', help: 'The files alone' },
    format: { kind: 'string', help: "'json': one JSON object a line, as the engine says it" },
  },
  minArgs: 2,
  maxArgs: 2,
  async run(context, { values, args: [from = '', to = ''] }) {
    const both = values.config === values.files;
    for await (const difference of context.client.lines<Difference>('GET', '/strake/images/diff', { query: { from, to } })) {
      if (!both && values.config !== (difference.Config !== undefined)) {
        // The configuration comes first: nothing else is wanted.
        if (values.config) break;
        continue;
      }
      context.out(values.format === 'json' ? `${JSON.stringify(difference)}\n` : formatDifference(difference));
    }
    return 0;
  },
});

export function formatDifference({ Config: config = [], Files: files = [] }: Difference): string {
  const settings = config.flatMap(({ Name: name, From: before, To: after }) => [
    ...(before === undefined ? [] : [`- ${name}=${before}\n`]),
    ...(after === undefined ? [] : [`+ ${name}=${after}\n`]),
  ]);
  return [...settings, ...files.map(({ Kind: kind, Path: path }) => `${letters[kind] ?? '?'} ${path}\n`)].join('');
}
