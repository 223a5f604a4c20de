import { defineCommand } from '../command.ts';
import { splitReference } from '../pull-image.ts';

export const commit = defineCommand({
  name: 'commit',
  usage: '[OPTIONS] CONTAINER [REPOSITORY[:TAG]]',
  summary: "Make an image of a container's changes",
  flags: {
    author: { kind: 'string', short: 'a', help: 'Author ("A Person <person@example.com>")' },
    change: { kind: 'list', short: 'c', help: 'Apply an instruction of a Dockerfile to the image' },
    message: { kind: 'string', short: 'm', help: "Message of the image's history" },
    pause: { kind: 'bool', short: 'p', on: true, help: 'Pause the container meanwhile' },
  },
  minArgs: 1,
  maxArgs: 2,
  async run(context, { values, args: [container = '', reference] }) {
    const { name: repo, tag } = reference === undefined ? { name: undefined, tag: undefined } : splitReference(reference);
    const query = { container, repo, tag, author: values.author, comment: values.message, changes: values.change, pause: values.pause };
    const { Id: id } = await context.client.post<{ readonly Id: string }>('/commit', { query });
    context.out(`${id}\n`);
    return 0;
  },
});
