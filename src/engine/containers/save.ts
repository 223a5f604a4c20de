import type { Container } from './container.ts';
import type { ContainerContext } from './context.ts';
import { documentExtension } from './record.ts';

/** Writes the container's document to the store. */
export async function save({ store }: Pick<ContainerContext, 'store'>, container: Container): Promise<void> {
  await store.update(container.id, { extensions: documentExtension(container.document) });
}
