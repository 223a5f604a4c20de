import { allDirectories, cgroupDirectories, type Launcher, type Op, readCgroupLayout } from '../../../kernel/index.ts';
import type { Bundle } from './bundle.ts';

/** For who is dying in it. */
const removeTimeoutMs = 1_000;

/**
 * Removes the cgroup that a runtime left of a bundle's container: runc's `delete` knows nothing of one that was made by a `create` that was killed before it wrote its state down. It fails
 * where something else runs in it.
 */
export async function removeLeftoverCgroup(bundle: Bundle, launcher: Pick<Launcher, 'run'>): Promise<void> {
  const cgroupPath = bundle.readCgroupPath();
  if (cgroupPath === undefined) return;
  const directories = allDirectories(cgroupDirectories(readCgroupLayout(), cgroupPath));
  await launcher.run(directories.map((path): Op => ({ op: 'rmdir', side: 'host', path, timeoutMs: removeTimeoutMs })));
}
