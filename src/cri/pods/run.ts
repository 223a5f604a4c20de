import { rmSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type criPod, criRuntime, criTypes } from '../../api/cri/index.ts';
import { errorMessage, randomId, StrakeError } from '../../base/index.ts';
import type { Task } from '../../core/tasks/index.ts';
import type { PodAddresses, PodToConnect } from '../../network/index.ts';
import { both } from '../both.ts';
import { nowNs } from '../clock.ts';
import type { CriContext } from '../context.ts';
import { podPaths } from '../paths.ts';
import { publishPodEvent } from './events.ts';
import { writeHostFiles } from './host-files.ts';
import { endPause, keepPause, startPause, watchPause } from './pause.ts';
import { podPlan } from './plan.ts';
import { Pod, type PodNamespaces, podName } from './pod.ts';
import { newPodRecord } from './pod-record.ts';

const { ContainerEventType: Event } = criRuntime;
/** containerd's, and Docker's. */
const sharedMemoryBytes = 64 << 20;

/** Makes a pod's sandbox: its files, its namespaces, its network, and a process when it needs one. Nothing of it is left when that fails. */
export async function runPod(context: CriContext, config: criPod.PodSandboxConfig, handlerName: string, signal: AbortSignal): Promise<Pod> {
  const handler = context.handlers.get(handlerName);
  const plan = podPlan(config, handler);
  const id = randomId();
  using _name = context.registry.pods.reserve(podName(config), id);
  await using undo = new AsyncDisposableStack();
  const undoing = (what: string, work: () => Promise<unknown> | undefined) => undo.defer(async () => await quietly(context, id, what, work));
  const { directory, namespaces: kept } = podPaths(context.paths, id);
  undoing('files', async () => rmSync(directory, { recursive: true, force: true }));
  undoing('namespaces', async () => await context.namespaces.release(kept));
  // With a user namespace the pause process makes the others: they must be that one's.
  const types = plan.mappings === undefined ? plan.types : [];
  const { sharedMemory = '', ...made } = await context.namespaces.keep({
    directory: kept,
    types,
    sysctls: plan.mappings === undefined ? plan.sysctls : {},
    ...(plan.hostname === undefined ? {} : { hostname: plan.hostname }),
    ...(plan.types.includes('ipc') ? { sharedMemoryBytes } : {}),
  });
  let namespaces: PodNamespaces = { ...made, sharedMemory: plan.types.includes('ipc') ? sharedMemory : '/dev/shm' };
  let pause: Task | undefined;
  if (plan.needsPause) {
    undoing('pause process', async () => await endPause(context, id));
    pause = await startPause(context, { podId: id, config, handler, kept: namespaces, plan, signal });
    namespaces = { ...namespaces, ...(await keepPause(context, id, pause, plan)) };
  }
  const [network] = await both(
    connect(context, id, config, namespaces, undoing, signal),
    // Behind the start of the network's first program, which takes its time.
    nextTurn().then(() => writeHostFiles(context, id, config)),
  );
  const pod = new Pod(
    {
      id,
      config,
      handler: handlerName,
      createdAt: nowNs(),
      addresses: network?.addresses ?? [],
      networkDetails: network?.details,
    },
    { status: 'ready', namespaces },
  );
  signal.throwIfAborted();
  await context.core.sandboxes.create(newPodRecord(pod, handler));
  context.registry.pods.add(pod);
  undo.move();
  if (pause !== undefined) watchPause(context, pod, pause, plan);
  publishPodEvent(context, pod, Event.CONTAINER_CREATED_EVENT);
  publishPodEvent(context, pod, Event.CONTAINER_STARTED_EVENT);
  return pod;
}

async function connect(
  { network, log }: CriContext,
  id: string,
  config: criPod.PodSandboxConfig,
  namespaces: PodNamespaces,
  undoing: (what: string, work: () => Promise<unknown>) => void,
  signal: AbortSignal,
): Promise<PodAddresses | undefined> {
  if (namespaces.network === undefined) return undefined;
  undoing('network', async () => await network.delete(id));
  try {
    return await network.add(podToConnect(id, config, namespaces.network), signal);
  } catch (cause) {
    log.warn('a pod got no network', { pod: id, error: errorMessage(cause) });
    if (!(cause instanceof StrakeError)) throw cause;
    throw new StrakeError(cause.code, `failed to setup network for sandbox ${JSON.stringify(id)}: ${cause.message}`, { cause, fields: cause.fields });
  }
}

const protocols: ReadonlyMap<number, PodToConnect['ports'][number]['protocol']> = new Map([
  [criTypes.Protocol.TCP, 'tcp'],
  [criTypes.Protocol.UDP, 'udp'],
  [criTypes.Protocol.SCTP, 'sctp'],
]);

function podToConnect(id: string, config: criPod.PodSandboxConfig, netns: string): PodToConnect {
  const { metadata, annotations, portMappings, dnsConfig, linux } = config;
  return {
    id,
    name: metadata?.name ?? '',
    namespace: metadata?.namespace ?? '',
    uid: metadata?.uid ?? '',
    netns,
    annotations,
    ports: portMappings.flatMap(({ protocol, containerPort, hostPort, hostIp }) =>
      hostPort <= 0 ? [] : [{ protocol: protocols.get(protocol) ?? 'tcp', containerPort, hostPort, hostIp }],
    ),
    dns: dnsConfig,
    cgroupParent: linux?.cgroupParent ?? '',
  };
}

async function quietly({ log }: CriContext, id: string, what: string, work: () => Promise<unknown> | undefined): Promise<void> {
  try {
    await work();
  } catch (error) {
    log.warn('something of a pod that was not made is left', { pod: id, what, error: errorMessage(error) });
  }
}
