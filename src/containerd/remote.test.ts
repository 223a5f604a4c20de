/** The stores of the core over our own gRPC: the suites that the local stores pass, with the same texts of errors. */
import { describe } from 'bun:test';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { silentLogger } from '../base/index.ts';
import { containersConformance } from '../core/containers/conformance.ts';
import { contentConformance } from '../core/content/conformance.ts';
import { eventsConformance } from '../core/events/conformance.ts';
import { imagesConformance } from '../core/images/conformance.ts';
import type { Core, NamespacedCore } from '../core/index.ts';
import { leasesConformance } from '../core/leases/conformance.ts';
import { openRemoteCore } from '../core/remote/index.ts';
import { sandboxesConformance } from '../core/sandboxes/conformance.ts';
import { snapshotsConformance } from '../core/snapshots/conformance.ts';
import { startTestServer } from './fixtures-server.ts';

/** A server of its own, and its stores. */
async function open(): Promise<{ readonly core: Core; readonly stores: NamespacedCore } & AsyncDisposable> {
  const server = await startTestServer();
  const core = openRemoteCore({ connection: server.connection, log: silentLogger });
  return { core, stores: core.inNamespace('moby'), [Symbol.asyncDispose]: async () => await server[Symbol.asyncDispose]() };
}

const opening =
  <Key extends keyof NamespacedCore>(key: Key) =>
  async () => {
    const { stores, [Symbol.asyncDispose]: close } = await open();
    return { store: stores[key], isRemote: true, [Symbol.asyncDispose]: close };
  };

describe('images', () => imagesConformance(opening('images')));
describe('containers', () => containersConformance(opening('containers')));
describe('sandboxes', () => sandboxesConformance(opening('sandboxes')));
describe('leases', () => leasesConformance(opening('leaseStore')));
describe('content', () => contentConformance(opening('content')));
describe('snapshots', () => {
  snapshotsConformance(async () => {
    const { stores, [Symbol.asyncDispose]: close } = await open();
    const { snapshots } = stores;
    return {
      store: snapshots,
      isRemote: true,
      write: async (key, name, content) => writeFileSync(path.join((await snapshots.unpackTarget(key)).dir, name), content),
      [Symbol.asyncDispose]: close,
    };
  });
});
describe('events', () => {
  eventsConformance(async () => {
    const { core, [Symbol.asyncDispose]: close } = await open();
    return { exchange: core.exchange, [Symbol.asyncDispose]: close };
  });
});
