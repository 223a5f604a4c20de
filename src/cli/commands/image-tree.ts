import { shortId } from '../../base/index.ts';
import { defineCommand } from '../command.ts';
import { humanSize } from '../format/units.ts';

interface Layer {
  readonly ChainId: string;
  readonly DiffId: string;
  readonly Size: number;
  readonly CreatedBy: string;
  readonly SharedWith: readonly string[];
}

interface Tree {
  readonly Id: string;
  readonly Digest: string;
  readonly Names: readonly string[];
  readonly Size: number;
  readonly SharedSize: number;
  readonly OwnSize: number;
  readonly Layers: readonly Layer[];
  readonly Versions: readonly { readonly Name: string; readonly Digest: string; readonly Present: boolean }[];
}

const widestStep = 60;

export const imageTreeCommand = defineCommand({
  name: 'image tree',
  usage: '[OPTIONS] IMAGE',
  summary: 'Show the layers of an image, who shares them, and what its names stood for before',
  flags: {
    format: { kind: 'string', help: "'json': everything, as the engine says it" },
    'no-trunc': { kind: 'bool', help: 'Do not shorten' },
  },
  minArgs: 1,
  maxArgs: 1,
  async run(context, { values, args: [name = ''] }) {
    const tree = await context.client.get<Tree>('/strake/images/tree', { query: { name } });
    context.out(values.format === 'json' ? `${JSON.stringify(tree)}\n` : formatTree(tree, values['no-trunc']));
    return 0;
  },
});

/** The image, its layers from the bottom up, and the earlier versions of its names. */
export function formatTree(tree: Tree, full: boolean): string {
  const id = (digest: string) => (full ? digest : shortId(digest));
  const title = `${tree.Names.join(', ') || '<none>'}  ${id(tree.Id)}  ${humanSize(tree.Size)} (${humanSize(tree.SharedSize)} shared, ${humanSize(tree.OwnSize)} own)`;
  const layers = tree.Layers.map((layer) => {
    const users =
      layer.SharedWith.length === 0 ? 'own' : `shared with ${layer.SharedWith.map((user) => (user.startsWith('sha256:') ? id(user) : user)).join(', ')}`;
    const step = layer.CreatedBy.replace(/\s+/g, ' ').trim();
    return `${id(layer.DiffId)}  ${humanSize(layer.Size)}  ${users}${step === '' ? '' : `  ${full ? step : shorten(step)}`}`;
  });
  const versions = tree.Versions.map(
    ({ Name: name, Digest: digest, Present: isPresent }) => `${name} was ${full ? digest : digest.slice(0, 19)}${isPresent ? '' : ' (removed)'}`,
  );
  return `${[title, ...branches(layers)].join('\n')}\n${versions.length === 0 ? '' : `${['before:', ...branches(versions)].join('\n')}\n`}`;
}

function branches(lines: readonly string[]): readonly string[] {
  return lines.map((line, index) => `${index === lines.length - 1 ? '└─' : '├─'} ${line}`);
}

function shorten(step: string): string {
  return step.length > widestStep ? `${step.slice(0, widestStep - 1)}…` : step;
}
