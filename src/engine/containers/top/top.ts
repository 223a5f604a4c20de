import type { ContainerTopResponse } from '../../../api/docker/index.ts';
import { StrakeError } from '../../../base/index.ts';
import type { ContainerContext } from '../context.ts';
import { parsePsArguments } from './columns.ts';
import { readProcess } from './process-table.ts';

/** What `ps` on the host would show of the container's processes. */
export async function topContainer(context: ContainerContext, reference: string, psArguments: string): Promise<ContainerTopResponse> {
  const columns = parsePsArguments(psArguments === '' ? '-ef' : psArguments);
  const container = context.registry.get(reference);
  if (!container.running || container.task === undefined) throw new StrakeError('FailedPrecondition', `container ${container.id} is not running`);
  if (container.lifecycle.status === 'restarting')
    throw new StrakeError('FailedPrecondition', `Container ${container.id} is restarting, wait until the container is running`);
  const rows = (await container.task.pids()).map(readProcess).filter((row) => row !== undefined);
  return { Titles: columns.map(({ title }) => title), Processes: rows.map((row) => columns.map(({ value }) => value(row))) };
}
