import { defineCommand } from '../command.ts';
import { pullImage, splitReference } from '../pull-image.ts';

export const pull = defineCommand({
  name: 'pull',
  usage: '[OPTIONS] NAME[:TAG|@DIGEST]',
  summary: 'Download an image from a registry',
  flags: {
    platform: { kind: 'string', help: 'Platform (linux/arm64)' },
    quiet: { kind: 'bool', short: 'q', help: 'Do not show progress' },
  },
  minArgs: 1,
  maxArgs: 1,
  async run(context, { values, args }) {
    const image = args[0] ?? '';
    const { name, tag } = splitReference(image);
    if (!values.quiet && tag === 'latest' && !image.endsWith(':latest')) context.out('Using default tag: latest\n');
    await pullImage(context, image, { quiet: values.quiet, platform: values.platform, progress: context.out });
    context.out(`${canonicalName(name)}${tag.includes(':') ? '@' : ':'}${tag}\n`);
    return 0;
  },
});

/** The name with its registry, as docker prints it after a pull. */
function canonicalName(name: string): string {
  const [first = '', ...rest] = name.split('/');
  if (rest.length > 0 && (/[.:]/.test(first) || first === 'localhost')) return name;
  return `docker.io/${rest.length > 0 ? name : `library/${name}`}`;
}
