import { lstatSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { StrakeError } from '../../base/index.ts';
import { archiveTree } from '../../core/index.ts';
import type { Context } from '../context.ts';
import { readStdin } from '../stdio/stdin.ts';
import { archivePath, isDirectory, isIrregular, isSymlink, statInContainer } from './container-stat.ts';
import { type CopyTarget, destinationOf } from './destination.ts';
import type { CopyOptions } from './from-container.ts';
import { openLocalTree } from './local-tree.ts';
import { absolute, keepEnd, lastName, namesContent, namesDirectory } from './paths.ts';
import { CopyProgress } from './progress.ts';

/** Copies a local path into a container, or unpacks a tar stream from stdin (`-`) there. */
export async function copyToContainer(context: Context, source: string, container: string, given: string, options: CopyOptions): Promise<void> {
  const target = await containerTarget(context, container, given);
  const progress = new CopyProgress(context, 'Copying to container - ', options.quiet);
  if (source === '-') {
    if (!target.isDirectory) throw new StrakeError('InvalidArgument', `destination "${container}:${given}" must be a directory`, { fields: { layer: 'cli' } });
    await upload(context, container, target.path, progress.count(readStdin().chunks), options);
    if (!options.quiet) progress.end(undefined, `${container}:${target.path}`);
    return;
  }
  const local = localSource(source, options.followLink);
  const { directory, name } = destinationOf({ name: lastName(absolute(source)), isDirectory: local.isDirectory }, target);
  await using session = await openLocalTree(local.isDirectory ? local.path : path.dirname(local.path));
  const content = archiveTree(session, { path: local.isDirectory ? '' : path.basename(local.path), name, crossMounts: true });
  await upload(context, container, directory, progress.count(content), options);
  if (!options.quiet) progress.end(local.isDirectory ? undefined : local.sizeBytes, `${container}:${target.path}`);
}

async function upload(context: Context, container: string, directory: string, chunks: AsyncIterable<Uint8Array>, { archive }: CopyOptions): Promise<void> {
  await context.client.call('PUT', archivePath(container), {
    query: { path: directory, noOverwriteDirNonDir: 'true', ...(archive ? { copyUIDGID: 'true' } : {}) },
    upload: { contentType: 'application/x-tar', chunks },
  });
}

/** What lies there, a link followed; where nothing does, its directory may be there. */
async function containerTarget(context: Context, container: string, given: string): Promise<CopyTarget> {
  const stat = await statInContainer(context, container, given);
  if (stat === undefined) return { path: given, exists: false, isDirectory: false };
  const followed = isSymlink(stat) ? keepEnd(stat.linkTarget, given) : given;
  const found = isSymlink(stat) ? await statInContainer(context, container, followed) : stat;
  if (found !== undefined && isIrregular(found))
    throw new StrakeError('InvalidArgument', `destination "${container}:${given}" must be a directory or a regular file`, { fields: { layer: 'cli' } });
  return { path: followed, exists: found !== undefined, isDirectory: found !== undefined && isDirectory(found) };
}

/** Links on the way are followed; the last one with `-L` alone, or when the name ends in a slash or dot. */
function localSource(given: string, followLink: boolean): { readonly path: string; readonly isDirectory: boolean; readonly sizeBytes: number } {
  const target = absolute(given);
  const whole = followLink || namesDirectory(target);
  const cleaned = path.normalize(namesContent(target) ? target.slice(0, -1) : target).replace(/(.)\/$/, '$1');
  try {
    const real = whole ? realpathSync(cleaned) : path.join(realpathSync(path.dirname(cleaned)), path.basename(cleaned));
    const stat = lstatSync(real);
    if (namesDirectory(target) && !stat.isDirectory()) throw new StrakeError('InvalidArgument', `${cleaned}: not a directory`, { fields: { layer: 'cli' } });
    return { path: real, isDirectory: stat.isDirectory(), sizeBytes: stat.size };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new StrakeError('NotFound', `lstat ${cleaned}: no such file or directory`, { cause: error, fields: { layer: 'cli' } });
  }
}
