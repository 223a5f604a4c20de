import { expect, test } from 'bun:test';
import type { EventFields } from '../events/events.ts';
import { decodeEvent, encodeEvent } from './event-message.ts';

const at = new Date('2030-01-02T03:04:05.678Z');
const event = (topic: string, payload: EventFields) => ({ namespace: 'n', topic, timestamp: at, payload });

for (const [topic, type, payload] of [
  ['/tasks/exit', 'containerd.events.TaskExit', { containerId: 'c', id: 'e', pid: 7, exitStatus: 137, exitedAt: at }],
  [
    '/tasks/create',
    'containerd.events.TaskCreate',
    { containerId: 'c', bundle: '/b', rootfs: [], io: { stdin: '', stdout: '/o', stderr: '', terminal: false }, checkpoint: '', pid: 1 },
  ],
  ['/content/create', 'containerd.events.ContentCreate', { digest: 'd', size: 2 ** 52 }],
  ['/images/create', 'containerd.services.images.v1.ImageCreate', { name: 'i', labels: { 'a.b': 'c', constructor: 'd' } }],
  [
    '/containers/create',
    'containerd.events.ContainerCreate',
    { id: 'c', image: 'i', runtime: { name: 'r', options: { typeUrl: 'x', value: new Uint8Array([1]) } } },
  ],
  ['/snapshot/prepare', 'containerd.events.SnapshotPrepare', { key: 'k', parent: '', snapshotter: 'overlayfs' }],
  ['/namespaces/delete', 'containerd.events.NamespaceDelete', { name: 'n' }],
] as const)
  test(`${topic} there and back`, () => {
    const encoded = encodeEvent(event(topic, payload));
    expect(encoded?.typeUrl).toBe(type);
    expect(decodeEvent(encoded ?? { typeUrl: '', value: new Uint8Array() })).toMatchObject(payload);
  });

test('fields that a message has not are left out; those that are not given are empty', () => {
  const encoded = encodeEvent(event('/tasks/oom', { containerId: 'c', other: 1 }));
  expect(decodeEvent(encoded ?? { typeUrl: '', value: new Uint8Array() })).toEqual({ containerId: 'c' });
  expect(decodeEvent(encodeEvent(event('/tasks/start', {})) ?? { typeUrl: '', value: new Uint8Array() })).toEqual({ containerId: '', pid: 0 });
});

test('what came encoded goes on as it is; what has no message does not', () => {
  const encoded = { typeUrl: 'x.Y', value: new Uint8Array([1, 2]) };
  expect(encodeEvent({ ...event('/x/y', {}), encoded })).toMatchObject(encoded);
  expect(encodeEvent(event('/engine/container/die', { Type: 'container' }))).toBeUndefined();
});

test('what cannot be read says nothing', () => {
  expect(decodeEvent({ typeUrl: 'x.Unknown', value: new Uint8Array([1]) })).toEqual({});
  expect(decodeEvent({ typeUrl: 'type.googleapis.com/containerd.events.TaskOOM', value: new Uint8Array([10, 1, 99]) })).toEqual({ containerId: 'c' });
  expect(decodeEvent({ typeUrl: 'containerd.events.TaskOOM', value: new Uint8Array([10, 200]) })).toEqual({});
});
