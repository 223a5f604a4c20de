import { expect, test } from 'bun:test';
import { rejection } from '../core/fixtures.ts';
import { hostPlatform, parseReference } from '../oci/index.ts';
import { putImage, startTestRegistry } from './fixtures-registry.ts';
import { createRemoteInspector } from './inspect-remote.ts';
import { createSearch } from './search.ts';

const signal = new AbortController().signal;

test('a registry’s catalogue is looked through page by page, up to the limit', async () => {
  await using registry = await startTestRegistry();
  const page = (names: readonly string[], isLast = false) => ({
    type: 'application/json',
    body: Buffer.from(JSON.stringify({ repositories: names })),
    headers: isLast ? {} : { link: '</v2/_catalog?n=1000&last=x>; rel="next"' },
  });
  registry.content.set('/v2/_catalog?n=1000', page(['a/app', 'b/other']));
  registry.content.set('/v2/_catalog?n=1000&last=b%2Fother', page(['c/apple', 'd/app', 'e'], true));
  const search = createSearch({ retryDelayMs: 1 });
  const names = async (term: string, limit = 25) =>
    (await search({ term: `${registry.host}/${term}`, limit, signal })).map(({ name }) => name.slice(registry.host.length + 1));
  expect(await names('app')).toEqual(['a/app', 'c/apple', 'd/app']);
  expect(await names('app', 2)).toEqual(['a/app', 'c/apple']);
  expect(await names('nothing')).toEqual([]);
  expect(await names('')).toEqual(['a/app', 'b/other', 'c/apple', 'd/app', 'e']);
});

test('a registry without a catalogue says so; one that goes round in circles is left', async () => {
  await using registry = await startTestRegistry();
  const search = createSearch({ retryDelayMs: 1 });
  expect(await rejection(search({ term: `${registry.host}/x`, limit: 25, signal }))).toStartWith('NotFound: ');
  const circle = { type: 'application/json', body: Buffer.from('{"repositories":["x"]}'), headers: { link: '<y>; rel="next"' } };
  registry.content.set('/v2/_catalog?n=1000', circle);
  registry.content.set('/v2/_catalog?n=1000&last=x', circle);
  expect((await search({ term: `${registry.host}/x`, limit: 25, signal })).length).toBe(2);
  registry.content.set('/v2/_catalog?n=1000', { ...circle, body: Buffer.from('no JSON') });
  expect(await rejection(search({ term: `${registry.host}/x`, limit: 25, signal }))).toStartWith(
    `InvalidArgument: catalogue of ${registry.host} is not valid JSON`,
  );
});

test('what a name stands for in its registry', async () => {
  await using registry = await startTestRegistry();
  const image = putImage(registry, 'app', [[{ name: 'f', type: 'file', mode: 0o644 }]]);
  const inspect = createRemoteInspector({ retryDelayMs: 1 });
  const { os, architecture } = hostPlatform();
  expect(await inspect({ reference: parseReference(`${registry.host}/app`), signal })).toEqual({
    descriptor: image.manifest,
    platforms: [{ os, architecture }],
  });
  expect(await rejection(inspect({ reference: parseReference(`${registry.host}/absent`), signal }))).toStartWith('NotFound: ');
});
