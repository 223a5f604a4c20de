/** The registry's composition root: which implementation stands behind each interface. */
import type { Logger } from '../../base/index.ts';
import { MetadataDatabase, openLocalContent } from '../../core/index.ts';
import { createRegistry, createStorage, type HandleRequest, registrySchema } from '../../registry/index.ts';
import { composeAuth } from './auth.ts';
import type { RegistryFlags } from './flags.ts';

export interface ComposedRegistry extends AsyncDisposable {
  readonly handle: HandleRequest;
}

export async function composeRegistry(flags: RegistryFlags, log: Logger): Promise<ComposedRegistry> {
  const { root, readOnly } = flags;
  await using cleanup = new AsyncDisposableStack();
  const { content } = cleanup.use(openLocalContent({ root, log }));
  const db = cleanup.use(MetadataDatabase.open({ root, log, file: 'registry.db', schema: registrySchema }));
  const storage = createStorage({ content, db });
  cleanup.defer(async () => await storage.uploads.close());
  const { gate, tokenServer } = await composeAuth(flags);
  const api = createRegistry({ storage, gate, readOnly });
  const kept = cleanup.move();
  return {
    handle: async (request) => await (tokenServer !== undefined && request.path === '/token' ? tokenServer : api)(request),
    [Symbol.asyncDispose]: async () => await kept.disposeAsync(),
  };
}
