import { join } from 'node:path';
import type { Pod } from '../pods/pod.ts';
import { qosClass } from '../pods/qos.ts';

/** Who makes cgroups for the runtime: itself, by directories, or systemd, by slices. */
export type CgroupDriver = 'cgroupfs' | 'systemd';

/** The cgroup that a pod's containers are put below, from the root of each hierarchy, where Kubernetes' own kubelet has it. */
export function cgroupParent(pod: Pod, driver: CgroupDriver, root: string): string {
  const qos = qosClass(pod.spec);
  const classes = qos === 'Guaranteed' ? [] : [qos.toLowerCase()];
  if (driver === 'cgroupfs') return join('/', root, 'kubepods', ...classes, `pod${pod.uid}`);
  // A slice's name holds those of its parents; a dash is the separator.
  const names = ['kubepods', ...classes, `pod${pod.uid.replaceAll('-', '_')}`];
  return join('/', root, ...names.map((_, index) => `${names.slice(0, index + 1).join('-')}.slice`));
}
