import { createReadStream, readFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import path from 'node:path';
import type { criContainer, criPod } from '../../api/cri/index.ts';
import { errorMessage } from '../../base/index.ts';
import { applyLayer } from '../../core/index.ts';
import { parseJson } from '../../oci/index.ts';
import { checkpointFiles } from '../containers/checkpoint.ts';
import { createContainer } from '../containers/create.ts';
import type { CriContext } from '../context.ts';
import { isOwn } from '../handlers.ts';
import { containerPaths } from '../paths.ts';
import { invalid, refused } from '../refusals.ts';
import { directoryName, podFile } from './checkpoint.ts';
import { removePod } from './remove.ts';
import { runPod } from './run.ts';

export interface RestoreRequest {
  /** What checkpointPod wrote; it stays as it is. */
  readonly directory: string;
  readonly config: criPod.PodSandboxConfig | undefined;
  readonly handler: string;
  /** One for each container that was saved. */
  readonly configs: readonly criContainer.ContainerConfig[];
}

export interface RestoredPod {
  readonly podSandboxId: string;
  readonly restoredContainers: { name: string; containerId: string }[];
}

/** A pod whose containers wait for their start, which lets the saved processes go on instead of new ones. Nothing is left of it when that fails. */
export async function restorePod(context: CriContext, { directory, config, handler, configs }: RestoreRequest, signal: AbortSignal): Promise<RestoredPod> {
  if (config === undefined) throw invalid('sandbox config must be given');
  const saved = savedContainers(directory);
  const names = configs.map(({ metadata }) => directoryName(metadata?.name ?? ''));
  if (names.length !== saved.length || new Set(names).size !== names.length || !names.every((name) => saved.includes(name)))
    throw invalid(`the checkpoint has the containers ${saved.join(', ')}, not ${names.join(', ')}`);
  if (!isOwn(context.handlers.get(handler))) throw refused('Unimplemented', `the runtime of ${JSON.stringify(handler)} cannot restore pods`, { handler });
  const pod = await runPod(context, config, handler, signal);
  try {
    const restoredContainers: RestoredPod['restoredContainers'] = [];
    for (const [index, given] of configs.entries()) {
      const name = names[index] ?? '';
      const { id } = await createContainer(context, pod, given, signal);
      await layOut(context, id, path.join(directory, name), signal);
      restoredContainers.push({ name, containerId: id });
    }
    return { podSandboxId: pod.id, restoredContainers };
  } catch (error) {
    await removePod(context, pod).catch((failure: unknown) =>
      context.log.warn('a pod that was not restored is left', { pod: pod.id, error: errorMessage(failure) }),
    );
    throw error;
  }
}

function savedContainers(directory: string): readonly string[] {
  const file = path.join(directory, podFile);
  try {
    return (parseJson(readFileSync(file, 'utf8'), file) as { readonly containers: readonly string[] }).containers.map(directoryName);
  } catch (cause) {
    throw refused('InvalidArgument', `${JSON.stringify(directory)} has no checkpoint of a pod: ${errorMessage(cause)}`, {}, cause);
  }
}

/** Its files as they were, and the images of its processes where its start looks for them. */
async function layOut(context: CriContext, id: string, saved: string, signal: AbortSignal): Promise<void> {
  const { dir, whiteouts } = await context.core.snapshots.unpackTarget(id);
  await using tree = await context.openFileTree(dir, { signal });
  await applyLayer(createReadStream(path.join(saved, checkpointFiles.changes)), tree, {
    whiteouts,
    compression: 'none',
    name: checkpointFiles.changes,
    signal,
  });
  await cp(path.join(saved, checkpointFiles.images), containerPaths(context.paths, id).restore, { recursive: true });
}
