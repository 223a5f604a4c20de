import type { Context } from './context.ts';
import { ExitStatus } from './exit-status.ts';
import { createProgress, type ProgressMessage } from './progress.ts';
import { registryAuthHeader } from './registry-auth/credentials.ts';

export interface PullOptions {
  readonly quiet: boolean;
  readonly platform?: string | undefined;
  readonly progress: (text: string) => void;
}

/** Pulls and shows docker's progress. An error inside of the stream ends the command with status 1. */
export async function pullImage(context: Context, image: string, options: PullOptions): Promise<void> {
  const { name, tag } = splitReference(image);
  const progress = options.quiet ? undefined : createProgress(options.progress, context.isTerminal(options.progress === context.err ? 2 : 1));
  const messages = context.client.lines<ProgressMessage>('POST', '/images/create', {
    query: { fromImage: name, tag, platform: options.platform },
    headers: registryAuthHeader(image, context.env),
  });
  for await (const message of messages) {
    if (message.error !== undefined) throw new ExitStatus(1, `Error response from daemon: ${message.error}`);
    progress?.(message);
  }
}

/** Splits off the tag or digest; a colon before the last slash belongs to the registry's port. */
export function splitReference(reference: string): { readonly name: string; readonly tag: string } {
  const at = reference.indexOf('@');
  if (at >= 0) return { name: reference.slice(0, at), tag: reference.slice(at + 1) };
  const colon = reference.indexOf(':', reference.lastIndexOf('/') + 1);
  return colon < 0 ? { name: reference, tag: 'latest' } : { name: reference.slice(0, colon), tag: reference.slice(colon + 1) };
}

/** The name with its registry, as docker prints it after a pull. */
export function canonicalName(name: string): string {
  const [first = '', ...rest] = name.split('/');
  if (rest.length > 0 && (/[.:]/.test(first) || first === 'localhost')) return name;
  return `docker.io/${rest.length > 0 ? name : `library/${name}`}`;
}
