import { expect, test } from 'bun:test';
import { create } from '@bufbuild/protobuf';
import { criContainer } from '../../api/cri/index.ts';
import { openTestCore } from '../../core/fixtures.ts';
import { Container } from './container.ts';
import { newContainerRecord } from './container-record.ts';
import { creationLease } from './creation-lease.ts';

test('what is made for a container is kept while it is made, and by its record from then on', async () => {
  using core = openTestCore();
  const stores = core.inNamespace('k8s.io');
  {
    await using lease = await creationLease(stores, 'c');
    for (const key of ['c', 'view']) await lease.snapshots.prepare(key, undefined);
    expect((await core.collectGarbage()).snapshots).toEqual([]);
    const facts = { id: 'c', podId: 'p', name: 'c', createdAt: 0n, imageId: 'i', imageNames: { repoTags: [], repoDigests: [] }, logPath: '', stopSignal: '' };
    const container = new Container({ ...facts, config: create(criContainer.ContainerConfigSchema), user: { uid: 0, gid: 0 } }, { status: 'created' });
    const handler = { name: '', runtimeName: 'r' } as Parameters<typeof newContainerRecord>[1]['handler'];
    const made = { spec: { ociVersion: '1.0.0' }, handler, snapshotter: lease.snapshots.name, views: ['view'], imageLabels: {}, imageName: 'i' };
    await stores.containers.create(newContainerRecord(container, made));
  }
  expect((await core.collectGarbage()).snapshots).toEqual([]);
  expect(await stores.leaseStore.list()).toEqual([]);
  await stores.containers.delete('c');
  expect((await core.collectGarbage()).snapshots.toSorted()).toEqual(['c', 'view']);
});
