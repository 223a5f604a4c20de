import type { StoredContainer } from '../../state/store.ts';
import { v1Stats } from './v1.ts';
import { v2Stats } from './v2.ts';

/** The statistics in the shape of runc's `events --stats` (its types.Stats), which cri-o and containerd's older shims read. */
export function containerStats({ cgroup }: Pick<StoredContainer, 'cgroup'>): object {
  const stats = cgroup.v1.some(({ controllers }) => controllers.length > 0) ? v1Stats(cgroup) : v2Stats(cgroup.v2);
  return { ...stats, intel_rdt: {}, network_interfaces: null };
}
