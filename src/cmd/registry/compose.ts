/** The registry's composition root: which implementation stands behind each interface. */
import { readdirSync, readFileSync } from 'node:fs';
import type { Logger } from '../../base/index.ts';
import { MetadataDatabase, openLocalContent } from '../../core/index.ts';
import {
  createMetrics,
  createPages,
  createRegistry,
  createStorage,
  type HandleRequest,
  type Metrics,
  PullThrough,
  registrySchema,
  type Storage,
  scheduleGarbage,
  toNotification,
  Webhook,
} from '../../registry/index.ts';
import { composeAuth } from './auth.ts';
import type { RegistryFlags } from './flags.ts';
import { createUpstream } from './upstream.ts';

export interface ComposedRegistry extends AsyncDisposable {
  readonly handle: HandleRequest;
  readonly metrics: Metrics;
}

const databaseFile = 'registry.db';

export async function composeRegistry(flags: RegistryFlags, log: Logger): Promise<ComposedRegistry> {
  const { root, readOnly } = flags;
  await using cleanup = new AsyncDisposableStack();
  const { content } = cleanup.use(openLocalContent({ root, log }));
  const db = cleanup.use(MetadataDatabase.open({ root, log, file: databaseFile, schema: registrySchema }));
  const storage = createStorage({ content, db });
  cleanup.defer(async () => await storage.uploads.close());
  const webhooks = flags.notify.map((url) => cleanup.use(new Webhook({ url, log })));
  const metrics = createMetrics({ storage, webhooks });
  startGarbage(flags, storage, metrics, log, cleanup);
  const cache = composeCache(flags, storage, metrics, log);
  if (cache !== undefined) cleanup.use(cache);
  const { gate, pageGate, tokenServer } = await composeAuth(flags);
  const pages = pageGate && createPages({ storage, gate: pageGate });
  const api = createRegistry({
    storage,
    gate,
    readOnly: readOnly || cache !== undefined,
    cache,
    onEvent(event, request, user) {
      metrics.happened(event);
      const notification = toNotification(event, request, user, new Date());
      for (const webhook of webhooks) webhook.push(notification);
    },
  });
  const kept = cleanup.move();
  return {
    async handle(request) {
      if (tokenServer !== undefined && request.path === '/token') return await tokenServer(request);
      return (await pages?.(request)) ?? (await api(request));
    },
    metrics,
    [Symbol.asyncDispose]: async () => await kept.disposeAsync(),
  };
}

/** While a damaged database lies there, nothing is garbage: the new one does not know what it knew. */
function startGarbage({ root, garbage, proxy }: RegistryFlags, storage: Storage, metrics: Metrics, log: Logger, cleanup: AsyncDisposableStack): void {
  const { intervalMs, ...options } = garbage;
  if (intervalMs === undefined) return;
  const damaged = readdirSync(root).find((name) => name.startsWith(`${databaseFile}.damaged-`));
  if (damaged !== undefined)
    log.error('no garbage is collected: repair the damaged database, or remove it to give up what only it knows of', { damaged, root });
  else cleanup.use(scheduleGarbage({ ...options, cacheLifeMs: proxy?.lifeMs, intervalMs, storage, log, onReport: metrics.collected }));
}

function composeCache({ proxy }: RegistryFlags, storage: Storage, metrics: Metrics, log: Logger): PullThrough | undefined {
  if (proxy === undefined) return undefined;
  const { domain, insecure, user, passwordFile } = proxy;
  const credentials =
    user === undefined || passwordFile === undefined
      ? undefined
      : ({ kind: 'password', username: user, password: readFileSync(passwordFile, 'utf8').replace(/\r?\n$/, '') } as const);
  return new PullThrough({ storage, upstream: createUpstream({ domain, insecure, credentials }), log, onLookup: metrics.lookedUp });
}
