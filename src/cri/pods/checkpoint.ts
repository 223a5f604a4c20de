import { readdirSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { toJson } from '@bufbuild/protobuf';
import { criPod } from '../../api/cri/index.ts';
import { formatJson } from '../../oci/index.ts';
import { saveContainer, whileStill } from '../containers/checkpoint.ts';
import type { CriContext } from '../context.ts';
import { invalid } from '../refusals.ts';
import type { Pod } from './pod.ts';

/** In the directory: this file, and a directory for each container, by its name. */
export const podFile = 'pod.json';

/** Saves containers of a pod, all of one moment, in an empty directory. Nothing is left there when that fails, and no container stands still. */
export async function checkpointPod(context: CriContext, pod: Pod, directory: string, containerIds: readonly string[], signal: AbortSignal): Promise<void> {
  if (!path.isAbsolute(directory) || readdirSync(directory).length > 0)
    throw invalid(`${JSON.stringify(directory)} must be an empty directory, by its absolute path`);
  if (containerIds.length === 0) throw invalid('no containers are named');
  pod.readyNamespaces();
  const containers = containerIds.map((id) => context.registry.containers.get(id));
  if (new Set(containers).size < containers.length) throw invalid('a container is named twice');
  const names = containers.map(({ podId, id, facts }) => {
    if (podId !== pod.id) throw invalid(`container ${JSON.stringify(id)} does not belong to sandbox ${JSON.stringify(pod.id)}`);
    return directoryName(facts.config.metadata?.name ?? '');
  });
  try {
    await whileStill(containers, async () => {
      for (const [index, container] of containers.entries()) await saveContainer(context, container, path.join(directory, names[index] ?? ''), signal);
    });
    await writeFile(path.join(directory, podFile), formatJson({ containers: names, config: toJson(criPod.PodSandboxConfigSchema, pod.config) }), {
      mode: 0o600,
    });
  } catch (error) {
    for (const name of [...names, podFile]) await rm(path.join(directory, name), { recursive: true, force: true });
    throw error;
  }
}

/** Names of containers are DNS labels. */
export function directoryName(name: string): string {
  if (!/^[a-zA-Z0-9][\w.-]{0,252}$/.test(name)) throw invalid(`container name ${JSON.stringify(name)} cannot be a directory's`);
  return name;
}
