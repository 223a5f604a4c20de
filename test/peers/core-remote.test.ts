/** The stores of the core over the gRPC of the real containerd: the suites that the local stores pass. */
import { afterAll, beforeAll, describe } from 'bun:test';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { leases } from '../../src/api/containerd/index.ts';
import { randomId, silentLogger } from '../../src/base/index.ts';
import { containersConformance } from '../../src/core/containers/conformance.ts';
import { contentConformance } from '../../src/core/content/conformance.ts';
import { eventsConformance } from '../../src/core/events/conformance.ts';
import { imagesConformance } from '../../src/core/images/conformance.ts';
import type { NamespacedCore } from '../../src/core/index.ts';
import { leasesConformance } from '../../src/core/leases/conformance.ts';
import { namespacesConformance } from '../../src/core/namespaces/conformance.ts';
import { openRemoteCore } from '../../src/core/remote/index.ts';
import { sandboxesConformance } from '../../src/core/sandboxes/conformance.ts';
import { snapshotsConformance } from '../../src/core/snapshots/conformance.ts';
import { connectGrpc, type GrpcConnection, inNamespace } from '../../src/rpc/grpc/index.ts';
import { PeerWorld } from '../lib/peer-world.ts';

let peer: PeerWorld;
let connection: GrpcConnection;

beforeAll(async () => {
  peer = await PeerWorld.start();
  await peer.startContainerd();
  connection = connectGrpc({ kind: 'unix', path: peer.path(peer.containerdSocket) });
}, 60_000);

afterAll(async () => {
  connection.close();
  await peer[Symbol.asyncDispose]();
});

/** A namespace that nothing is in; what is made in it goes with it, so that the next shares nothing with it. */
async function openNamespace(): Promise<{ readonly stores: NamespacedCore; readonly isPeer: true } & AsyncDisposable> {
  const core = openRemoteCore({ connection, log: silentLogger });
  const namespace = `t${randomId().slice(0, 12)}`;
  const all = core.inNamespace(namespace);
  await all.leaseStore.create({ id: 'own' });
  // Without a lease what a test makes may be collected while it looks.
  const stores = all.withLease('own');
  return {
    stores,
    isPeer: true,
    [Symbol.asyncDispose]: async () => {
      for (const { name } of await stores.images.list()) await stores.images.delete(name);
      for (const { id } of await stores.containers.list()) await stores.containers.delete(id);
      for (const { id } of await stores.sandboxes.list()) await stores.sandboxes.delete(id);
      for (const { id } of await stores.leaseStore.list()) await stores.leaseStore.delete(id);
      for (const { ref } of await stores.content.ingests()) await stores.content.abort(ref);
      const client = connection.with(inNamespace(namespace)).client(leases.Leases);
      await client.create({ id: 'last' });
      // Collects what is garbage before it answers.
      await client.delete({ id: 'last', sync: true });
      await core.namespaces.delete(namespace);
    },
  };
}

const opening =
  <Key extends keyof NamespacedCore>(key: Key) =>
  async () => {
    const { stores, isPeer, [Symbol.asyncDispose]: close } = await openNamespace();
    return { store: stores[key], isPeer, [Symbol.asyncDispose]: close };
  };

describe('namespaces', () => {
  namespacesConformance(async () => ({
    store: openRemoteCore({ connection, log: silentLogger }).namespaces,
    isPeer: true,
    [Symbol.asyncDispose]: async () => undefined,
  }));
});
describe('images', () => imagesConformance(opening('images')));
describe('containers', () => containersConformance(opening('containers')));
describe('sandboxes', () => sandboxesConformance(opening('sandboxes')));
describe('leases', () => {
  leasesConformance(async () => {
    const { stores, isPeer, [Symbol.asyncDispose]: close } = await openNamespace();
    await stores.leaseStore.delete('own');
    return { store: stores.leaseStore, isPeer, [Symbol.asyncDispose]: close };
  });
});
describe('events', () => {
  eventsConformance(async () => {
    const { exchange } = openRemoteCore({ connection, log: silentLogger });
    return { exchange, isPeer: true, [Symbol.asyncDispose]: async () => undefined };
  });
});
describe('content', () => contentConformance(opening('content')));
describe('snapshots', () => {
  snapshotsConformance(async () => {
    const { stores, isPeer, [Symbol.asyncDispose]: close } = await openNamespace();
    const { snapshots } = stores;
    return {
      store: snapshots,
      isPeer,
      isRemote: true,
      write: async (key, name, content) => writeFileSync(path.join((await snapshots.unpackTarget(key)).dir, name), content),
      [Symbol.asyncDispose]: close,
    };
  });
});
