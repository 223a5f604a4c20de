import { statSync } from 'node:fs';
import path from 'node:path';
import { StrakeError } from '../../base/index.ts';
import { extractArchive, overwriteError } from '../../core/index.ts';
import type { Context } from '../context.ts';
import { archivePath, isDirectory, isSymlink, statInContainer, statOf } from './container-stat.ts';
import { destinationOf } from './destination.ts';
import { openLocalTree } from './local-tree.ts';
import { absolute, keepEnd, lastName } from './paths.ts';
import { CopyProgress } from './progress.ts';

export interface CopyOptions {
  readonly followLink: boolean;
  /** Keeps users and groups. */
  readonly archive: boolean;
  readonly quiet: boolean;
}

/** Copies a path of a container to a local one, or as a tar stream to stdout (`-`). */
export async function copyFromContainer(context: Context, container: string, given: string, target: string, options: CopyOptions): Promise<void> {
  if (target !== '-') checkParent(target);
  const source = options.followLink ? await followLink(context, container, given) : given;
  const response = await context.client.call('GET', archivePath(container), { query: { path: source } });
  if (target === '-') {
    for await (const chunk of response.body) context.out(chunk);
    return;
  }
  const stat = statOf(response);
  const local = localTarget(absolute(target));
  const { directory, name } = destinationOf({ name: lastName(given), isDirectory: isDirectory(stat) }, local);
  const from = lastName(source) === '.' || lastName(source) === '/' ? '' : lastName(source);
  const progress = new CopyProgress(context, 'Copying from container - ', options.quiet);
  await using session = await openLocalTree(directory, { keepKinds: true });
  try {
    await extractArchive(progress.count(response.body), session, {
      owner: options.archive ? undefined : ownIds(),
      unprivileged: ownIds().uid !== 0,
      rename: from === name ? undefined : { from, to: name },
    });
  } catch (error) {
    throw overwriteError(error, directory);
  }
  if (!options.quiet) progress.end(isDirectory(stat) ? undefined : stat.size, absolute(target));
}

/** The path that a link in the container leads to; what it is called stays. */
async function followLink(context: Context, container: string, given: string): Promise<string> {
  const stat = await statInContainer(context, container, given);
  return stat !== undefined && isSymlink(stat) ? keepEnd(stat.linkTarget, given) : given;
}

function checkParent(target: string): void {
  const parent = path.dirname(path.normalize(target));
  if (statSync(parent, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new StrakeError('InvalidArgument', `invalid output path: directory ${JSON.stringify(parent)} does not exist`, { fields: { layer: 'cli' } });
}

/** A link is followed, as cp does. */
function localTarget(target: string) {
  const stat = statSync(target, { throwIfNoEntry: false });
  if (stat !== undefined && !stat.isDirectory() && !stat.isFile())
    throw new StrakeError('InvalidArgument', `invalid output path: ${JSON.stringify(target)} must be a directory or a regular file`, {
      fields: { layer: 'cli' },
    });
  return { path: target, exists: stat !== undefined, isDirectory: stat?.isDirectory() === true };
}

function ownIds(): { readonly uid: number; readonly gid: number } {
  return { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
}
