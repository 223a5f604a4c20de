import type { Context } from './context.ts';
import { ExitStatus } from './exit-status.ts';
import { createProgress, type ProgressMessage } from './progress.ts';

/** Shows the messages of a load, an import or a push on stdout; an error inside of the stream ends the command with status 1. */
export async function showMessages(context: Context, messages: AsyncIterable<ProgressMessage>): Promise<void> {
  const progress = createProgress(context.out, context.isTerminal(1));
  for await (const message of messages) {
    if (message.error !== undefined) throw new ExitStatus(1, message.error);
    if (message.stream !== undefined) context.out(message.stream);
    else if (message.status !== undefined) progress(message);
  }
}
