import { defineCommand } from '../command.ts';
import { ExitStatus } from '../exit-status.ts';
import { platformQuery } from '../platform-query.ts';
import type { ProgressMessage } from '../progress.ts';
import { canonicalName, splitReference } from '../pull-image.ts';
import { registryAuthHeader } from '../registry-auth/credentials.ts';
import { showMessages } from '../show-messages.ts';

/** What stands beside progress in the stream: what was pushed instead of an index that is here in part. */
interface PushMessage extends ProgressMessage {
  readonly aux?: {
    readonly manifestPushedInsteadOfIndex?: boolean;
    readonly originalIndex?: { readonly digest: string };
    readonly selectedManifest?: { readonly digest: string };
  };
}

export const push = defineCommand({
  name: 'push',
  usage: '[OPTIONS] NAME[:TAG]',
  summary: 'Upload an image to a registry',
  flags: {
    'all-tags': { kind: 'bool', short: 'a', help: 'Push all tags of the image' },
    platform: { kind: 'string', help: 'Push only this platform (linux/arm64)' },
    quiet: { kind: 'bool', short: 'q', help: 'Do not show progress' },
  },
  minArgs: 1,
  maxArgs: 1,
  async run(context, { values, args: [reference = ''] }) {
    const { name, tag } = splitReference(reference);
    const isTagged = reference !== name;
    if (values['all-tags'] && isTagged) throw new ExitStatus(1, "tag can't be used with --all-tags/-a");
    if (!(values['all-tags'] || isTagged || values.quiet)) context.out(`Using default tag: ${tag}\n`);
    const messages = context.client.lines<PushMessage>('POST', `/images/${encodeURIComponent(name)}/push`, {
      query: { tag: values['all-tags'] ? '' : tag, platform: platformQuery(values.platform) },
      headers: registryAuthHeader(reference, context.env),
    });
    const notes: string[] = [];
    await showMessages(values.quiet ? { ...context, out: () => undefined } : context, collectNotes(messages, notes));
    if (values.quiet) context.out(`${canonicalName(name)}${values['all-tags'] ? '' : `:${tag}`}\n`);
    context.out(notes.join(''));
    return 0;
  },
});

async function* collectNotes(messages: AsyncIterable<PushMessage>, notes: string[]): AsyncGenerator<PushMessage> {
  for await (const message of messages) {
    if (message.aux?.manifestPushedInsteadOfIndex === true)
      notes.push(
        `\nInfo → Not all multiplatform-content is present and only the available single-platform image was pushed\n          ${message.aux.originalIndex?.digest} -> ${message.aux.selectedManifest?.digest}\n`,
      );
    yield message;
  }
}
