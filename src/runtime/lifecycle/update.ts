import { readFileSync } from 'node:fs';
import { StrakeError } from '../../base/index.ts';
import { readCgroupLayout, readLiveLimits, updateOperations, v1DirectoryOf } from '../../kernel/index.ts';
import type { ResourcesSpec } from '../../oci/index.ts';
import type { StoredContainer } from '../state/store.ts';
import { warnOfIgnored } from './cgroup.ts';
import type { RuntimeContext } from './context.ts';
import { notRunning } from './not-running.ts';
import { containerStatus } from './status.ts';

/** Changes the limits of a container that has not ended; what is not given stays, device rules too. */
export function updateContainer({ store, launcher, warn }: RuntimeContext, id: string, resources: ResourcesSpec): void {
  const container = store.load(id);
  if (containerStatus(store, container) === 'stopped') throw notRunning(id);
  warnOfIgnored(resources, warn);
  const layout = readCgroupLayout();
  const { devices: _devices, ...limits } = resources;
  try {
    const operations = updateOperations(layout, container.cgroup, limits, readLiveLimits(layout, container.cgroup));
    if (operations.length > 0) launcher.run(operations);
  } catch (error) {
    throw belowUsage(error, container, limits) ?? error;
  }
}

/** v1 refuses a memory limit that it cannot reclaim down to (EBUSY): runc's words for it say by how much. */
function belowUsage(error: unknown, { cgroup }: StoredContainer, { memory }: ResourcesSpec): StrakeError | undefined {
  const isBusy = error instanceof StrakeError && error.fields['errno'] === 'EBUSY' && String(error.fields['detail']).endsWith('/memory.limit_in_bytes');
  const dir = v1DirectoryOf(cgroup, 'memory');
  if (!isBusy || dir === undefined) return undefined;
  const read = (file: string) => readFileSync(`${dir}/${file}`, 'latin1').trim();
  const message = `unable to set memory limit to ${memory?.limit} (current usage: ${read('memory.usage_in_bytes')}, peak usage: ${read('memory.max_usage_in_bytes')})`;
  return new StrakeError('FailedPrecondition', message, { cause: error, fields: { layer: 'runtime' } });
}
