import { expect, test } from 'bun:test';
import { create } from '@bufbuild/protobuf';
import { criContainer } from '../../api/cri/index.ts';
import { rejection } from '../../core/fixtures.ts';
import type { Images } from '../images/index.ts';
import { refused } from '../refusals.ts';
import { resolveImageMounts } from './image-mounts.ts';

const images = {
  get: async (name: string) => {
    if (name !== 'here') throw refused('NotFound', `image ${JSON.stringify(name)}: not found`);
    return { id: 'sha256:1' };
  },
} as unknown as Images;

const mount = (image: string, readonly = true) =>
  create(criContainer.MountSchema, { containerPath: '/at', readonly, ...(image === '' ? {} : { image: { image } }) });
const resolve = async (mounts: readonly criContainer.Mount[]) => await resolveImageMounts({ images }, mounts);

test('mounts of images say which one it is; others stay as they are', async () => {
  const others = [mount('', false), create(criContainer.MountSchema, { containerPath: '/at', image: { image: '' } })];
  const resolved = await resolve([mount('here'), ...others]);
  expect(resolved[0]?.image).toMatchObject({ image: 'here', imageRef: 'sha256:1' });
  expect(resolved.slice(1)).toEqual(others);
});

test('one to write to, and one of an image that is not here, are refused', async () => {
  expect(await rejection(resolve([mount('here', false)]))).toBe('InvalidArgument: mount "/at" of an image must be read-only');
  expect(await rejection(resolve([mount('absent')]))).toBe('NotFound: image "absent": not found');
});
