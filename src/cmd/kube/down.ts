import type { Logger } from '../../base/index.ts';
import { awaitPods, forgetPlayed, PodWatch, parseManifests, podName } from '../../kubelet/index.ts';
import { composeKubelet } from '../kubelet/compose.ts';
import type { KubeCommand } from './flags.ts';
import { lockUnlessKubelet } from './lock.ts';
import { readInput } from './read-input.ts';

type Down = Extract<KubeCommand, { kind: 'down' }>;

/** How long a kubelet is given to end pods: longer than any sensible time of grace. */
const kubeletTimeoutMs = 600_000;

/** Ends the pods of a file's names, and forgets what was played with them. */
export async function down({ file, flags }: Down, log: Logger): Promise<number> {
  const manifests = parseManifests(readInput(file), file);
  const names = manifests.pods.map(({ metadata }) => podName({ namespace: metadata?.namespace || 'default', name: metadata?.name ?? '' }));
  await using composed = await composeKubelet(flags, false, log);
  const { kubelet, cri } = composed;
  using lock = lockUnlessKubelet(flags.rootDir);
  const running = (await kubelet.runningPods()).filter((pod) => names.includes(podName(pod)));
  forgetPlayed(flags.rootDir, manifests);
  if (lock !== undefined) await kubelet.end(running);
  else {
    await using watch = new PodWatch(cri, log);
    const left = await awaitPods({
      look: async () => await watch.look(running),
      onChange: (changed) => watch.onChange(changed),
      done: (pods) => pods.every(({ status }) => status === undefined),
      timeoutMs: kubeletTimeoutMs,
    });
    if (left.some(({ status }) => status !== undefined)) return 1;
  }
  for (const pod of running) process.stdout.write(`pod/${podName(pod)} gone\n`);
  return 0;
}
