import { afterAll, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { identityOf } from '../state/process-identity.ts';
import { StateStore, type StoredContainer } from '../state/store.ts';
import { loadMade } from './load-made.ts';

const root = mkdtempSync(path.join(tmpdir(), 'strake-load-made-'));
afterAll(() => rmSync(root, { recursive: true }));

const self = identityOf(process.pid);
const store = new StateStore(root);
const claimed = (id: string, creator: StoredContainer['creator']): StoredContainer => {
  const container: StoredContainer = {
    ...{ ociVersion: '1.3.0', id, bundle: '/', rootfs: '/', created: '', annotations: {}, owner: '', privatePids: true, noNewKeyring: false },
    cgroup: { v1: [], v2: undefined },
    creator,
  };
  store.claim(id, '{}');
  store.save(container);
  return container;
};

test('its process may be heard of before it is written down', async () => {
  const container = claimed('in-the-making', self);
  const loading = loadMade(store, container.id);
  await delay(20);
  store.save({ ...container, creator: undefined, ...(self === undefined ? {} : { init: self }) });
  expect((await loading).init).toEqual(self);
});

test('one that nobody makes any more is not waited for; one that there is none of is told', async () => {
  const { id } = claimed('abandoned', self && { ...self, startTime: self.startTime + 1 });
  expect((await loadMade(store, id)).init).toBeUndefined();
  await expect(loadMade(store, 'none')).rejects.toThrow('container does not exist');
});
