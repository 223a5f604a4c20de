import type { MessageInitShape } from '@bufbuild/protobuf';
import { type criContainer, criTypes } from '../../api/cri/index.ts';
import { StrakeError } from '../../base/index.ts';
import type { V1Container } from '../kubernetes.ts';
import type { Node } from '../node.ts';
import { expand } from '../pods/expand.ts';
import type { Pod } from '../pods/pod.ts';
import { containerLabels } from './labels.ts';
import { containerResources } from './resources.ts';
import type { UserNamespace } from './sandbox.ts';
import { containerSecurityContext, namespaceOptions } from './security-context.ts';

export type ContainerConfig = MessageInitShape<typeof criContainer.ContainerConfigSchema>;
export type CriMount = MessageInitShape<typeof criContainer.MountSchema>;

export interface ContainerParts {
  readonly pod: Pod;
  readonly container: V1Container;
  /** How many containers of this name the pod had. */
  readonly attempt: number;
  /** What the runtime calls the image. */
  readonly imageRef: string;
  readonly environment: ReadonlyMap<string, string>;
  readonly mounts: readonly CriMount[];
  readonly userns?: UserNamespace | undefined;
}

/** What the runtime makes a container of. */
export function containerConfig({ pod, container, attempt, imageRef, environment, mounts, userns }: ContainerParts, node: Node): ContainerConfig {
  const { stopSignal } = container.lifecycle ?? {};
  return {
    metadata: { name: container.name, attempt },
    image: { image: imageRef, userSpecifiedImage: container.image ?? '' },
    command: (container.command ?? []).map((word) => expand(word, environment)),
    args: (container.args ?? []).map((word) => expand(word, environment)),
    workingDir: container.workingDir ?? '',
    envs: [...environment].map(([key, value]) => ({ key, value: Buffer.from(value) })),
    mounts: [...mounts],
    labels: containerLabels(pod, container),
    annotations: containerAnnotations(pod, container, attempt),
    logPath: logPath(container.name, attempt),
    stdin: container.stdin === true,
    stdinOnce: container.stdinOnce === true,
    tty: container.tty === true,
    stopSignal: stopSignal === undefined ? criTypes.Signal.RUNTIME_DEFAULT : signalOf(stopSignal),
    linux: {
      resources: containerResources(container, pod.spec, node.memoryBytes),
      securityContext: containerSecurityContext(container, pod.spec, namespaceOptions(pod.spec, userns), node),
    },
  };
}

/** Below the pod's log directory. */
export function logPath(name: string, attempt: number): string {
  return `${name}/${attempt}.log`;
}

function signalOf(name: string): criTypes.Signal {
  const signal = Object.entries(criTypes.Signal).find(([known]) => known === name)?.[1];
  if (signal === undefined)
    throw new StrakeError('InvalidArgument', `${JSON.stringify(name)} is no signal that a container can be stopped by`, { fields: { layer: 'kubelet' } });
  return signal;
}

/** What other tools that know Kubernetes' containers read. */
function containerAnnotations({ spec }: Pod, container: V1Container, attempt: number): Record<string, string> {
  return {
    'io.kubernetes.container.restartCount': String(attempt),
    'io.kubernetes.container.terminationMessagePath': container.terminationMessagePath ?? '',
    'io.kubernetes.container.terminationMessagePolicy': container.terminationMessagePolicy ?? '',
    'io.kubernetes.pod.terminationGracePeriod': String(spec.terminationGracePeriodSeconds),
    ...(container.ports === undefined ? {} : { 'io.kubernetes.container.ports': JSON.stringify(container.ports) }),
  };
}
