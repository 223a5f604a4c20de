import { errorMessage, type Logger } from '../../base/index.ts';
import type { Manifests } from '../manifests/parse.ts';
import { type Objects, objectsOf } from './objects.ts';
import { makePod, type Pod, podName } from './pod.ts';

/** What is to run, and what it refers to. */
export interface Desired {
  /** By their uids. */
  readonly pods: ReadonlyMap<string, Pod>;
  readonly objects: Objects;
}

/** The pods of manifests that can be run; of two with one name the first. What cannot is logged. */
export function desiredOf(manifests: Manifests, log: Logger): Desired {
  const names = new Set<string>();
  const pods = new Map<string, Pod>();
  for (const manifest of manifests.pods) {
    try {
      const pod = makePod(manifest);
      if (names.has(podName(pod))) log.error('two manifests have one name; the first one counts', { pod: podName(pod) });
      else pods.set(pod.uid, pod);
      names.add(podName(pod));
    } catch (error) {
      log.error('pod cannot be run', { error: errorMessage(error) });
    }
  }
  return { pods, objects: objectsOf(manifests) };
}
