import { StrakeError } from '../../base/index.ts';
import type { Container } from './container.ts';
import type { ContainerContext } from './context.ts';
import { isRunning } from './lifecycle.ts';
import { containerMode, type JoinedNamespaces } from './spec/index.ts';

/** The namespaces of other containers that this one joins. FailedPrecondition when one does not run. */
export function joinedNamespaces(context: ContainerContext, container: Container): JoinedNamespaces {
  const { NetworkMode, IpcMode, PidMode } = container.document.hostConfig;
  const path = (mode: string, name: string) => {
    const reference = containerMode.exec(mode)?.[1];
    return reference === undefined ? undefined : `/proc/${runningPid(context, reference)}/ns/${name}`;
  };
  const network = path(NetworkMode, 'net');
  const ipc = path(IpcMode, 'ipc');
  const pid = path(PidMode, 'pid');
  return { ...(network === undefined ? {} : { network }), ...(ipc === undefined ? {} : { ipc }), ...(pid === undefined ? {} : { pid }) };
}

/** /dev/shm of the container whose IPC namespace is joined, as its process sees it. */
export function sharedMemory(context: ContainerContext, container: Container): string | undefined {
  const reference = containerMode.exec(container.document.hostConfig.IpcMode)?.[1];
  return reference === undefined ? undefined : `/proc/${runningPid(context, reference)}/root/dev/shm`;
}

function runningPid({ registry }: ContainerContext, reference: string): number {
  const { lifecycle, id } = registry.get(reference);
  if (!isRunning(lifecycle)) throw new StrakeError('FailedPrecondition', `cannot join namespace of a non running container: container ${id} is not running`);
  return lifecycle.pid;
}
