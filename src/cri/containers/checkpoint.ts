import { createWriteStream } from 'node:fs';
import { copyFile, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { toJson } from '@bufbuild/protobuf';
import { criContainer } from '../../api/cri/index.ts';
import { archiveTree, viewSnapshot } from '../../core/index.ts';
import { formatJson } from '../../oci/index.ts';
import type { CriContext } from '../context.ts';
import { containerPaths } from '../paths.ts';
import { invalid, refused } from '../refusals.ts';
import type { Container } from './container.ts';

/** Names in the archive, as cri-o and containerd have them. */
export const checkpointFiles = {
  images: 'checkpoint',
  configuration: 'config.dump',
  specification: 'spec.dump',
  changes: 'rootfs-diff.tar',
  log: 'container.log',
} as const;

/**
 * Saves a running container as an archive at `location`: criu's images of its processes, what it changed of its files, its configuration and its log. It goes on; it
 * stands still meanwhile, so that files and memory are of one moment.
 */
export async function checkpointContainer(context: CriContext, container: Container, location: string, signal: AbortSignal): Promise<void> {
  if (!path.isAbsolute(location)) throw invalid(`the location ${JSON.stringify(location)} of a checkpoint must be an absolute path`);
  const directory = path.join(containerPaths(context.paths, container.id).directory, 'checkpoint');
  try {
    await whileStill([container], async () => await saveContainer(context, container, directory, signal));
    await writeArchive(context, directory, location, signal);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Does it while none of the containers runs; they go on in any case. FailedPrecondition unless all run. */
export async function whileStill(containers: readonly Container[], work: () => Promise<void>): Promise<void> {
  await using going = new AsyncDisposableStack();
  for (const { task, lifecycle, id } of containers) {
    if (task === undefined || lifecycle.status !== 'running')
      throw refused('FailedPrecondition', `container ${JSON.stringify(id)} is in ${lifecycle.status} state: only what runs can be saved`, { container: id });
    await task.pause();
    going.defer(async () => await task.resume());
  }
  await work();
}

/** Everything of it, which stands still, as files of a directory. */
export async function saveContainer(context: CriContext, container: Container, directory: string, signal: AbortSignal): Promise<void> {
  const { task, facts, id } = container;
  if (task === undefined) throw refused('FailedPrecondition', `container ${JSON.stringify(id)} has ended`, { container: id });
  const at = (name: string) => path.join(directory, name);
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const { snapshots, containers } = context.core;
  const { spec, image } = await containers.get(id);
  await writeFile(at(checkpointFiles.specification), spec.value, { mode: 0o600 });
  const { imageId, imageNames } = facts;
  const configuration = { id, name: facts.name, image, imageId, ...imageNames, config: toJson(criContainer.ContainerConfigSchema, facts.config) };
  await writeFile(at(checkpointFiles.configuration), formatJson(configuration), { mode: 0o600 });
  const { tty: terminal } = facts.config;
  await task.checkpoint({
    imagePath: at(checkpointFiles.images),
    workPath: directory,
    leaveRunning: true,
    openTcp: true,
    externalUnixSockets: true,
    terminal,
    fileLocks: true,
  });
  const [mount, { parent }] = [await snapshots.mounts(id), await snapshots.stat(id)];
  await using below = parent === undefined ? undefined : await viewSnapshot(snapshots, parent);
  await pipeline(Readable.from(context.comparer.layer(below?.mount, mount, { signal })), createWriteStream(at(checkpointFiles.changes), { mode: 0o600 }), {
    signal,
  });
  if (facts.logPath !== '') await copyFile(facts.logPath, at(checkpointFiles.log));
}

/** A file that is there is whole. */
async function writeArchive({ openFileTree }: CriContext, directory: string, location: string, signal: AbortSignal): Promise<void> {
  const partial = `${location}.partial`;
  try {
    await using tree = await openFileTree(directory, { signal });
    await pipeline(Readable.from(archiveTree(tree)), createWriteStream(partial, { mode: 0o600 }), { signal });
    await rename(partial, location);
  } finally {
    await rm(partial, { force: true });
  }
}
