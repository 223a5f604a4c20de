import type { Mount } from '../../oci/index.ts';
import { parseRuntimeSpec } from '../../oci/index.ts';
import { compileAddMounts, compileRemoveMounts } from '../compile/live-mounts.ts';
import type { RuntimeContext } from './context.ts';
import { notRunning } from './not-running.ts';
import { containerStatus } from './status.ts';

export type MountChange = 'add' | 'remove';

/** Mounts into a container that runs, or takes mounts away, as crun's command does. Relative sources are those of the working directory. */
export async function changeMounts({ store, launcher, warn }: RuntimeContext, id: string, change: MountChange, mounts: readonly Mount[]): Promise<void> {
  const container = store.load(id);
  const status = containerStatus(store, container);
  if (container.init === undefined || status === 'creating' || status === 'stopped') throw notRunning(id);
  const live = { ...container.init, linux: parseRuntimeSpec(store.config(id)).linux };
  await launcher.run(change === 'add' ? compileAddMounts(mounts, live, process.cwd(), warn) : compileRemoveMounts(mounts, live));
}
