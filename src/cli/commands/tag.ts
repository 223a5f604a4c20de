import { defineCommand } from '../command.ts';
import { splitReference } from '../pull-image.ts';

export const tag = defineCommand({
  name: 'tag',
  usage: 'SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]',
  summary: 'Give an image another name',
  flags: {},
  minArgs: 2,
  maxArgs: 2,
  async run(context, { args }) {
    const target = splitReference(args[1] ?? '');
    await context.client.post(`/images/${encodeURIComponent(args[0] ?? '')}/tag`, { query: { repo: target.name, tag: target.tag } });
    return 0;
  },
});
