import { expect, test } from 'bun:test';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { criLinux } from '../../api/cri/index.ts';
import { engineUser, type ImageUser, statusUser } from './user.ts';

type Context = MessageInitShape<typeof criLinux.LinuxContainerSecurityContextSchema>;
const { Strict } = criLinux.SupplementalGroupsPolicy;
const image: ImageUser = {
  user: 'app',
  accounts: {
    users: [{ name: 'app', uid: 1000, gid: 100, home: '/app' }],
    groups: [{ name: 'more', gid: 50_000, members: ['app'] }],
  },
};
const unread = async (): Promise<ImageUser> => {
  throw new Error('the image is read without need');
};
const security = (context: Context) => create(criLinux.LinuxContainerSecurityContextSchema, context);

test.each<[string, Context, object]>([
  ['nobody is named', {}, { GroupAdd: [] }],
  ['an id', { runAsUser: { value: 1000n } }, { User: '1000', GroupAdd: [] }],
  ['a name, and groups besides', { runAsUsername: 'app', supplementalGroups: [8n] }, { User: 'app', GroupAdd: ['8'] }],
])('the engine reads the image’s accounts itself: %s', async (_what, context, expected) => {
  expect(await engineUser(security(context), unread)).toEqual(expected as never);
});

test.each<[string, Context, object]>([
  ['a group of its own, beside those of the image', { runAsUser: { value: 1000n }, runAsGroup: { value: 7n } }, { User: '1000:7', GroupAdd: ['50000'] }],
  ['none of the image', { runAsUser: { value: 1000n }, supplementalGroups: [8n], supplementalGroupsPolicy: Strict }, { User: '1000:100', GroupAdd: ['8'] }],
  ['none of the image, whose user it is', { supplementalGroupsPolicy: Strict }, { User: '1000:100', GroupAdd: [] }],
  ['one without an entry', { runAsUser: { value: 5n }, supplementalGroupsPolicy: Strict }, { User: '5:0', GroupAdd: [] }],
])('the engine is given numbers: %s', async (_what, context, expected) => {
  expect(await engineUser(security(context), async () => image)).toEqual(expected as never);
});

test('refused: a group alone, a user that the image has not', async () => {
  await expect(engineUser(security({ runAsGroup: { value: 1n } }), unread)).rejects.toThrow('runAsGroup is specified without a runAsUser');
  const absent = security({ runAsUsername: 'absent', supplementalGroupsPolicy: Strict });
  await expect(engineUser(absent, async () => image)).rejects.toThrow('unable to find user absent');
});

test('the status tells all groups', () => {
  const merged = security({ runAsUser: { value: 1000n }, supplementalGroups: [8n] });
  expect(statusUser(merged, image)).toEqual({ uid: 1000n, gid: 100n, supplementalGroups: [100n, 50_000n, 8n] });
  expect(statusUser(undefined, { ...image, user: '' })).toEqual({ uid: 0n, gid: 0n, supplementalGroups: [0n] });
});
