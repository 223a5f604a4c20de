import type { Task } from '../../core/tasks/index.ts';
import type { Container } from './container.ts';
import type { ContainerContext } from './context.ts';
import { isRunning } from './lifecycle.ts';
import { publish } from './publish.ts';
import { save } from './save.ts';

/** One of its processes was killed for memory: that is told at once, whether the container goes on or not. */
export async function handleOomKill(context: ContainerContext, container: Container, task: Task): Promise<void> {
  await container.mutex.run(async () => {
    const { lifecycle } = container;
    if (container.task !== task || !isRunning(lifecycle)) return;
    container.change({ lifecycle: { ...lifecycle, oomKilled: true } });
    publish(context, container, 'oom');
    await save(context, container);
  });
}
