/** The registry's composition root: which implementation stands behind each interface. */
import type { Logger } from '../../base/index.ts';
import { MetadataDatabase, openLocalContent } from '../../core/index.ts';
import { createRegistry, createStorage, type HandleRequest, registrySchema } from '../../registry/index.ts';
import type { RegistryFlags } from './flags.ts';

export interface ComposedRegistry extends AsyncDisposable {
  readonly handle: HandleRequest;
}

export function composeRegistry({ root }: RegistryFlags, log: Logger): ComposedRegistry {
  const cleanup = new AsyncDisposableStack();
  const { content } = cleanup.use(openLocalContent({ root, log }));
  const db = cleanup.use(MetadataDatabase.open({ root, log, file: 'registry.db', schema: registrySchema }));
  const storage = createStorage({ content, db });
  cleanup.defer(async () => await storage.uploads.close());
  return { handle: createRegistry({ storage, log }), [Symbol.asyncDispose]: async () => await cleanup.disposeAsync() };
}
