import { StrakeError } from '../../base/index.ts';
import type { ContainerContext } from './context.ts';
import { publish } from './publish.ts';

export async function resizeContainer(context: ContainerContext, reference: string, rows: number, cols: number): Promise<void> {
  const container = context.registry.get(reference);
  if (!container.running || container.task === undefined) throw new StrakeError('FailedPrecondition', `container ${container.id} is not running`);
  await container.task.resize(rows, cols);
  publish(context, container, 'resize', { height: String(rows), width: String(cols) });
}
