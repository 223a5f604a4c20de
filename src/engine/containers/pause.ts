import { StrakeError } from '../../base/index.ts';
import type { Container } from './container.ts';
import type { ContainerContext } from './context.ts';
import { isRunning } from './lifecycle.ts';
import { publish } from './publish.ts';
import { save } from './save.ts';

export async function pauseContainer(context: ContainerContext, reference: string): Promise<void> {
  const container = context.registry.get(reference);
  await container.mutex.run(async () => {
    const { status } = container.lifecycle;
    if (status === 'paused') throw conflict(`Container ${container.id} is already paused`);
    if (status === 'restarting') throw conflict(`Container ${container.id} is restarting, wait until the container is running`);
    if (!container.running) throw conflict(`container ${container.id} is not running`);
    await container.task?.pause();
    await enter(context, container, 'paused');
    publish(context, container, 'pause');
  });
}

export async function unpauseContainer(context: ContainerContext, reference: string): Promise<void> {
  const container = context.registry.get(reference);
  await container.mutex.run(async () => {
    if (container.lifecycle.status !== 'paused') throw conflict(`Container ${container.id} is not paused`);
    await container.task?.resume();
    await enter(context, container, 'running');
    publish(context, container, 'unpause');
  });
}

async function enter(context: ContainerContext, container: Container, status: 'running' | 'paused'): Promise<void> {
  const { lifecycle } = container;
  if (!isRunning(lifecycle)) return;
  container.change({ lifecycle: { ...lifecycle, status } });
  await save(context, container);
}

function conflict(text: string): StrakeError {
  return new StrakeError('FailedPrecondition', text);
}
