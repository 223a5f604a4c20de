/** What the shim knows of a container besides what the engine tells: it keeps nothing itself, all of it is in labels. */
import { fromJsonString, type Message, toJsonString } from '@bufbuild/protobuf';
import type { GenMessage } from '@bufbuild/protobuf/codegenv2';
import { criContainer, criPod } from '../../api/cri/index.ts';
import { refuse } from '../refuse.ts';

/** Names of the old dockershim, so that who looks with docker finds pods as ever. */
export const typeLabel = 'io.kubernetes.docker.type';
export const sandboxIdLabel = 'io.kubernetes.sandbox.id';
const configLabel = 'io.strake.dockershim.config';
const handlerLabel = 'io.strake.dockershim.runtime-handler';

/** `image-files`: no part of a pod (images/image-files.ts). */
export type ContainerType = 'podsandbox' | 'container' | 'image-files';
export type Labels = Readonly<Record<string, string>>;

export function sandboxLabels(config: criPod.PodSandboxConfig, runtimeHandler: string): Labels {
  return {
    ...config.labels,
    [typeLabel]: 'podsandbox',
    [handlerLabel]: runtimeHandler,
    [configLabel]: toJsonString(criPod.PodSandboxConfigSchema, config),
  };
}

export function containerLabels(config: criContainer.ContainerConfig, sandboxId: string): Labels {
  return {
    ...config.labels,
    [typeLabel]: 'container',
    [sandboxIdLabel]: sandboxId,
    [configLabel]: toJsonString(criContainer.ContainerConfigSchema, config),
  };
}

export function sandboxConfigOf(labels: Labels): criPod.PodSandboxConfig {
  return configOf(criPod.PodSandboxConfigSchema, labels);
}

export function containerConfigOf(labels: Labels): criContainer.ContainerConfig {
  return configOf(criContainer.ContainerConfigSchema, labels);
}

export function runtimeHandlerOf(labels: Labels): string {
  return labels[handlerLabel] ?? '';
}

function configOf<T extends Message>(schema: GenMessage<T>, labels: Labels): T {
  try {
    return fromJsonString(schema, labels[configLabel] ?? '', { ignoreUnknownFields: true });
  } catch {
    throw refuse('DataLoss', 'a container has the labels of a pod, but not its configuration: it was not made by this shim');
  }
}

export function matchesSelector(labels: Labels, selector: Labels): boolean {
  return Object.entries(selector).every(([name, value]) => labels[name] === value);
}
