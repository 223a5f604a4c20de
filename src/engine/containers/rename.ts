import { errorMessage, StrakeError } from '../../base/index.ts';
import type { ContainerContext } from './context.ts';
import { checkContainerName } from './naming/index.ts';
import { publish } from './publish.ts';
import { save } from './save.ts';

export async function renameContainer(context: ContainerContext, reference: string, newName: string): Promise<void> {
  if (newName === '') throw new StrakeError('InvalidArgument', 'Neither old nor new names may be empty');
  const { registry } = context;
  const container = registry.get(reference);
  const oldName = container.name;
  const name = allocate(() => checkContainerName(newName.startsWith('/') ? newName : `/${newName}`));
  if (name === oldName) throw new StrakeError('InvalidArgument', 'Renaming a container with the same name as its current name');
  allocate(() => registry.reserveName(name, container.id));
  container.change({ name });
  try {
    await save(context, container);
  } catch (error) {
    container.change({ name: oldName });
    registry.releaseName(name);
    throw error;
  }
  registry.releaseName(oldName);
  publish(context, container, 'rename', { oldName: `/${oldName}` });
}

function allocate<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw new StrakeError(cause instanceof StrakeError ? cause.code : 'Internal', `Error when allocating new name: ${errorMessage(cause)}`, { cause });
  }
}
