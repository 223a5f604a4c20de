import { defineCommand } from '../command.ts';
import { canonicalName, pullImage, splitReference } from '../pull-image.ts';

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
