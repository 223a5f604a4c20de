import { defineCommand } from '../command.ts';
import type { ProgressMessage } from '../progress.ts';
import { splitReference } from '../pull-image.ts';
import { showMessages } from '../show-messages.ts';
import { readInput } from '../stdio/input-file.ts';

export const importImage = defineCommand({
  name: 'import',
  usage: '[OPTIONS] FILE|URL|- [REPOSITORY[:TAG]]',
  summary: 'Make an image of the archive of a root filesystem',
  flags: {
    change: { kind: 'list', short: 'c', help: 'Apply an instruction of a Dockerfile to the image' },
    message: { kind: 'string', short: 'm', help: "Message of the image's history" },
    platform: { kind: 'string', help: 'Platform of the image (linux/arm64)' },
  },
  minArgs: 1,
  maxArgs: 2,
  async run(context, { values, args: [source = '', reference] }) {
    const isAddress = /^https?:\/\//.test(source);
    const { name: repo, tag } = reference === undefined ? { name: undefined, tag: undefined } : splitReference(reference);
    const query = { fromSrc: isAddress ? source : '-', repo, tag, message: values.message, changes: values.change, platform: values.platform };
    const chunks = isAddress ? undefined : await readInput(source === '-' ? undefined : source);
    const messages = context.client.lines<ProgressMessage>('POST', '/images/create', {
      query,
      ...(chunks === undefined ? {} : { upload: { contentType: 'text/plain', chunks } }),
    });
    await showMessages(context, messages);
    return 0;
  },
});
