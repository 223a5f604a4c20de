import { errorMessage } from '../../base/index.ts';
import { containerConfig } from '../config/container.ts';
import { hostsFile } from '../config/hosts-file.ts';
import type { SandboxConfig } from '../config/sandbox.ts';
import { slowCallTimeoutMs } from '../cri.ts';
import { runHook } from '../handlers/hook.ts';
import type { PulledImage } from '../images/puller.ts';
import type { V1Container } from '../kubernetes.ts';
import { defaultPullPolicy } from '../manifests/defaults.ts';
import { makeEnvironment } from '../pods/environment.ts';
import { graceMs, type Pod } from '../pods/pod.ts';
import { containerMounts } from '../volumes/container-mounts.ts';
import type { Volume } from '../volumes/volume.ts';
import { environmentSources, type WorkerKit } from './kit.ts';
import type { SandboxRecord } from './observe.ts';
import { Waiting } from './waiting.ts';

export interface ContainerStart {
  readonly pod: Pod;
  readonly container: V1Container;
  readonly attempt: number;
  readonly sandbox: SandboxRecord;
  readonly sandboxConfig: SandboxConfig;
  readonly volumes: ReadonlyMap<string, Volume>;
}

/**
 * Pulls, makes and starts a container, and runs its hook.
 * @throws Waiting with Kubernetes' reason
 */
export async function startContainer(kit: WorkerKit, start: ContainerStart, signal: AbortSignal): Promise<void> {
  const { pod, container, sandbox, sandboxConfig } = start;
  const { runtime } = kit.cri;
  const image = await kit.puller.ensure(pod, container, kit.objects(), sandboxConfig, signal);
  const volumeImages = await ensureVolumeImages(kit, start, signal);
  const config = await inStage('CreateContainerConfigError', async () => await configOf(kit, start, image, volumeImages));
  signal.throwIfAborted();
  // Not given up halfway: what a runtime then has of it is in nobody's hands.
  const { containerId } = await inStage(
    'CreateContainerError',
    async () => await runtime.createContainer({ podSandboxId: sandbox.id, config, sandboxConfig }, { timeoutMs: slowCallTimeoutMs }),
  );
  await inStage('RunContainerError', async () => await runtime.startContainer({ containerId }, { timeoutMs: slowCallTimeoutMs }));
  const { postStart } = container.lifecycle ?? {};
  if (postStart === undefined) return;
  try {
    await runHook(postStart, { containerId, container, podIP: podAddress(kit, sandbox) }, runtime, signal);
  } catch (error) {
    signal.throwIfAborted();
    await runtime.stopContainer({ containerId, timeout: BigInt(graceMs(pod) / 1000) }, { signal, timeoutMs: slowCallTimeoutMs });
    throw new Waiting('PostStartHookError', errorMessage(error), 0, { cause: error });
  }

  async function inStage<T>(reason: string, run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      signal.throwIfAborted();
      throw error instanceof Waiting ? error : new Waiting(reason, errorMessage(error), undefined, { cause: error });
    }
  }
}

/** Where a pod is reached from the machine. */
export function podAddress({ node }: WorkerKit, { ips }: SandboxRecord): string {
  return ips[0] ?? node.hostIPs[0] ?? '127.0.0.1';
}

/** What the runtime knows images by that the container mounts. */
async function ensureVolumeImages(
  kit: WorkerKit,
  { pod, container, volumes, sandboxConfig }: ContainerStart,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const images = new Map<string, string>();
  for (const { name } of container.volumeMounts ?? []) {
    const volume = volumes.get(name);
    if (volume?.kind !== 'image' || images.has(volume.reference)) continue;
    const { reference: image, pullPolicy: imagePullPolicy = defaultPullPolicy(image) } = volume;
    images.set(image, (await kit.puller.ensure(pod, { image, imagePullPolicy }, kit.objects(), sandboxConfig, signal)).ref);
  }
  return images;
}

async function configOf(
  kit: WorkerKit,
  { pod, container, attempt, sandbox, volumes }: ContainerStart,
  image: PulledImage,
  volumeImages: ReadonlyMap<string, string>,
): Promise<ReturnType<typeof containerConfig>> {
  refuseRoot(pod, container, image);
  const podIPs = pod.spec.hostNetwork === true ? kit.node.hostIPs : sandbox.ips;
  const environment = makeEnvironment(pod, container, environmentSources(kit, podIPs));
  const parts = {
    container,
    volumes,
    images: volumeImages,
    environment,
    directory: kit.volumes.podDirectory(pod.uid),
    hosts: hostsFile(pod, podIPs, kit.node.name),
    recursiveReadOnly: kit.recursiveReadOnly(pod.spec.runtimeClassName ?? ''),
    userns: sandbox.userns,
  };
  const mounts = await containerMounts(parts, kit.mounts);
  return containerConfig({ pod, container, attempt, imageRef: image.ref, environment, mounts, userns: sandbox.userns }, kit.node);
}

/** @throws Waiting when the manifest wants another user than root, and the container would be root or might be */
function refuseRoot({ spec }: Pod, container: V1Container, { uid, username }: PulledImage): void {
  const own = container.securityContext ?? {};
  const shared = spec.securityContext ?? {};
  if ((own.runAsNonRoot ?? shared.runAsNonRoot) !== true) return;
  const asked = own.runAsUser ?? shared.runAsUser;
  const reason = 'CreateContainerConfigError';
  if (asked === 0) throw new Waiting(reason, "container's runAsUser breaks non-root policy");
  if (asked !== undefined) return;
  if (username !== '') throw new Waiting(reason, `container has runAsNonRoot and image has non-numeric user (${username}), cannot verify user is non-root`);
  if (uid === undefined || uid === 0n) throw new Waiting(reason, 'container has runAsNonRoot and image will run as root');
}
