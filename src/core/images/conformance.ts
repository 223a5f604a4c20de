import { expect, test } from 'bun:test';
import { expectRejection, type TestedPlace } from '../fixtures-conformance.ts';
import type { ImageStore } from './images.ts';

const target = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: `sha256:${'1'.repeat(64)}`, size: 7 };

export function imagesConformance(open: () => Promise<{ readonly store: ImageStore } & TestedPlace & AsyncDisposable>): void {
  test('images are named pointers', async () => {
    await using place = await open();
    const labels = JSON.parse('{"__proto__":"x"}') as Record<string, string>;
    const made = await place.store.create({ name: 'docker.io/library/b:latest', target, labels });
    expect([made.name, made.target, Object.entries(made.labels)]).toEqual(['docker.io/library/b:latest', target, [['__proto__', 'x']]]);
    await expectRejection(place, place.store.create({ name: made.name, target }), 'AlreadyExists: image "docker.io/library/b:latest": already exists');
    await place.store.put({ name: 'a', target });
    const other = { ...target, size: 8 };
    const replaced = await place.store.put({ name: made.name, target: other });
    expect([replaced.target, replaced.labels, replaced.createdAt]).toEqual([other, {}, made.createdAt]);
    expect((await place.store.list()).map((image) => image.name)).toEqual(['a', made.name]);
    const found = async (...filters: string[]) => (await place.store.list(filters)).map(({ name }) => name);
    expect(await found('name~=^docker.io/')).toEqual([made.name]);
    expect(await found(`target.digest==${target.digest},target.mediatype~=manifest`)).toEqual(['a', made.name]);
    const second = { ...target, digest: `sha256:${'2'.repeat(64)}`, annotations: { of: target.digest } };
    await place.store.put({ name: 'z', target: second });
    expect(await found(`target.digest==${target.digest}`)).toEqual(['a', made.name]);
    expect(await found(`target.digest==${target.digest}`, `target.digest==${second.digest}`)).toEqual(['a', made.name, 'z']);
    expect(await found(`target.digest==sha256:${'3'.repeat(64)}`)).toEqual([]);
    expect(await found('labels.x', 'annotations.y')).toEqual([]);
    await place.store.delete('a');
    await expectRejection(place, place.store.delete('a'), 'NotFound: image "a": not found');
    await expectRejection(place, place.store.get('a'), 'NotFound: image "a": not found');
    await expectRejection(place, place.store.put({ name: '', target }), 'InvalidArgument: image name "" is not valid');
  });
}
