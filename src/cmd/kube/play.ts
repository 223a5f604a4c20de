import { type Logger, StrakeError } from '../../base/index.ts';
import {
  type AwaitedPod,
  type AwaitOptions,
  awaitPods,
  describeAwaited,
  desiredOf,
  isUp,
  type Kubelet,
  keepPlayed,
  ManifestDirectories,
  makePod,
  type Pod,
  PodWatch,
  parseManifests,
  playedDirectory,
  podName,
} from '../../kubelet/index.ts';
import { nextSignal } from '../daemon/next-signal.ts';
import { composeKubelet } from '../kubelet/compose.ts';
import type { KubeCommand } from './flags.ts';
import { lockUnlessKubelet } from './lock.ts';
import { readInput } from './read-input.ts';

type Play = Extract<KubeCommand, { kind: 'play' }>;

/** Brings the pods of a file up; answers the exit status: 0 when all are up. */
export async function play({ file, flags, wait, timeoutMs }: Play, log: Logger): Promise<number> {
  const manifests = parseManifests(readInput(file), file);
  for (const warning of manifests.warnings) log.warn(warning);
  const pods = manifests.pods.map(makePod);
  if (pods.length === 0) throw new StrakeError('InvalidArgument', `${file}: no pod is in it`, { fields: { layer: 'kubelet' } });
  const signal = wait ? nextSignal() : undefined;
  await using composed = await composeKubelet(flags, false, log);
  const { kubelet, cri } = composed;
  using lock = lockUnlessKubelet(flags.rootDir);
  if (wait && lock === undefined)
    throw new StrakeError('FailedPrecondition', '--wait cannot be had while a kubelet runs, which keeps the pods itself', { fields: { layer: 'kubelet' } });
  keepPlayed(flags.rootDir, manifests);
  if (lock === undefined) {
    await using watch = new PodWatch(cri, log);
    return await report({ look: async () => await watch.look(pods), onChange: (changed) => watch.onChange(changed), timeoutMs });
  }
  await endOthersOfTheirNames(kubelet, pods);
  const { objects } = desiredOf(new ManifestDirectories([playedDirectory(flags.rootDir)], log).read(), log);
  await kubelet.run({ pods: new Map(pods.map((pod) => [pod.uid, pod])), objects });
  const status = await report({ look: async () => await statuses(kubelet, pods), onChange: (changed) => kubelet.onChange(changed), timeoutMs });
  if (signal === undefined) return status;
  await signal;
  await kubelet.end(pods);
  return status;
}

async function endOthersOfTheirNames(kubelet: Kubelet, pods: readonly Pod[]): Promise<void> {
  const old = (await kubelet.runningPods()).filter((other) => pods.some((pod) => podName(pod) === podName(other) && pod.uid !== other.uid));
  await kubelet.end(old);
}

async function statuses(kubelet: Kubelet, pods: readonly Pod[]): Promise<readonly AwaitedPod[]> {
  const found = new Map(kubelet.pods().map(({ metadata, status }) => [metadata?.uid, status]));
  return pods.map((pod) => ({ name: podName(pod), status: found.get(pod.uid) }));
}

async function report(options: Omit<AwaitOptions, 'done'>): Promise<number> {
  const seen = await awaitPods({ ...options, done: (pods) => pods.every(isUp) });
  for (const pod of seen) process.stdout.write(`${describeAwaited(pod)}\n`);
  return seen.every((pod) => isUp(pod) && pod.status?.phase !== 'Failed') ? 0 : 1;
}
