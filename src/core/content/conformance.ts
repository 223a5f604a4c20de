import { expect, test } from 'bun:test';
import { digestOf } from '../../oci/index.ts';
import { expectRejection, type TestedPlace } from '../fixtures-conformance.ts';
import type { ContentStore } from './content.ts';

const bytes = (text: string) => Buffer.from(text);

async function put(store: ContentStore, text: string): Promise<string> {
  await using writer = await store.writer({ ref: `test-${text}` });
  await writer.write(bytes(text));
  return (await writer.commit({})).digest;
}

async function textOf(stream: AsyncIterable<Uint8Array>): Promise<string> {
  return Buffer.concat(await Array.fromAsync(stream)).toString();
}

/** What every content store does. `open` makes an empty one. */
export function contentConformance(open: () => Promise<{ readonly store: ContentStore } & TestedPlace & AsyncDisposable>): void {
  test('a blob is found by its digest, whole and in parts', async () => {
    await using place = await open();
    const digest = await put(place.store, 'hello world');
    expect(digest).toBe(digestOf('hello world'));
    expect((await place.store.info(digest)).sizeBytes).toBe(11);
    expect(await textOf(place.store.read(digest))).toBe('hello world');
    expect(await textOf(place.store.read(digest, { offset: 6, length: 3 }))).toBe('wor');
    expect(await textOf(place.store.read(digest, { offset: 11 }))).toBe('');
    await expectRejection(place, textOf(place.store.read(digest, { offset: 12 })), 'OutOfRange: read past object length 11 bytes');
    expect(Buffer.from(await place.store.readAll(digest, 11)).toString()).toBe('hello world');
    await expectRejection(place, place.store.readAll(digest, 10), `OutOfRange: blob ${digest} has 11 bytes, at most 10 are read`);
    expect((await Array.fromAsync(place.store.walk())).map((info) => info.digest)).toEqual([digest]);
    await place.store.delete(digest);
    const { store } = place;
    // One after the other: a rejection that nobody awaits yet fails the test.
    for (const ask of [() => store.info(digest), () => store.delete(digest), () => store.readAll(digest, 1), () => textOf(store.read(digest))])
      await expectRejection(place, ask(), `NotFound: content digest ${digest}: not found`);
  });

  test('an empty blob', async () => {
    await using place = await open();
    await using writer = await place.store.writer({ ref: 'empty', expectedDigest: digestOf(''), expectedSizeBytes: 0 });
    expect((await writer.commit({})).sizeBytes).toBe(0);
    expect(await textOf(place.store.read(digestOf('')))).toBe('');
  });

  test('sha512', async () => {
    await using place = await open();
    // containerd 2.1 commits sha256 alone.
    if (place.isPeer) return;
    const digest = digestOf('x', 'sha512');
    await using writer = await place.store.writer({ ref: 'long', expectedDigest: digest });
    await writer.write(bytes('x'));
    expect((await writer.commit({})).digest).toBe(digest);
    expect(Buffer.from(await place.store.readAll(digest, 1)).toString()).toBe('x');
  });

  test('a wrong digest, a wrong size, too many bytes: refused, and nothing is kept', async () => {
    await using place = await open();
    const expectedDigest = digestOf('right');
    for (const [options, text, message] of [
      [{ expectedDigest }, 'wrong', `FailedPrecondition: unexpected commit digest ${digestOf('wrong')}, expected ${expectedDigest}`],
      [{ expectedDigest, expectedSizeBytes: 5 }, 'righ', 'FailedPrecondition: "bad" failed size validation: 4 != 5'],
      [{ expectedDigest, expectedSizeBytes: 5 }, 'right!', `FailedPrecondition: ${expectedDigest}: more than the 5 bytes expected`],
    ] as const) {
      await using writer = await place.store.writer({ ref: 'bad', ...options });
      const attempt = async () => {
        await writer.write(bytes(text));
        await writer.commit({});
      };
      await expectRejection(place, attempt(), message);
      expect(await place.store.ingests()).toEqual([]);
      expect(await Array.fromAsync(place.store.walk())).toEqual([]);
    }
  });

  test('an interrupted ingest goes on where it stopped', async () => {
    await using place = await open();
    const expectedDigest = digestOf('hello world');
    {
      await using writer = await place.store.writer({ ref: 'r', expectedDigest, expectedSizeBytes: 11 });
      await writer.write(bytes('hello '));
      await expectRejection(place, place.store.writer({ ref: 'r' }), 'Unavailable: ingest r is locked by another writer');
      // containerd takes it from under the writer.
      if (!place.isPeer) await expectRejection(place, place.store.abort('r'), 'Unavailable: ingest r is locked by a writer');
    }
    const [status] = await place.store.ingests();
    expect([status?.ref, status?.offsetBytes, status?.totalBytes]).toEqual(['r', 6, 11]);
    // Of a digest that it was told containerd tells only what another namespace has.
    if (!place.isPeer) expect(status?.expected).toBe(expectedDigest);
    await using writer = await place.store.writer({ ref: 'r', expectedDigest, expectedSizeBytes: 11 });
    expect(writer.offsetBytes).toBe(6);
    await writer.write(bytes('world'));
    await writer.commit({});
    expect(await place.store.ingests()).toEqual([]);
    await expectRejection(place, place.store.writer({ ref: 'again', expectedDigest }), `AlreadyExists: content ${expectedDigest}: already exists`);
  });

  test('truncate starts over; abort forgets', async () => {
    await using place = await open();
    {
      await using writer = await place.store.writer({ ref: 'r' });
      await writer.write(bytes('old'));
      await writer.truncate();
      expect(writer.offsetBytes).toBe(0);
      await writer.write(bytes('new'));
      expect((await writer.commit({})).digest).toBe(digestOf('new'));
    }
    {
      await using writer = await place.store.writer({ ref: 'left' });
      await writer.write(bytes('x'));
    }
    await place.store.abort('left');
    expect(await place.store.ingests()).toEqual([]);
    await expectRejection(place, place.store.abort('left'), 'NotFound: reference left: not found');
  });

  test('labels are replaced; one may be named __proto__', async () => {
    await using place = await open();
    const digest = await put(place.store, 'x');
    const labels = JSON.parse('{"__proto__":"a","constructor":"b"}') as Record<string, string>;
    await place.store.setLabels(digest, labels);
    // A map has no order on the wire.
    expect(Object.entries((await place.store.info(digest)).labels).sort()).toEqual([
      ['__proto__', 'a'],
      ['constructor', 'b'],
    ]);
    await place.store.setLabels(digest, { l: 'm' });
    expect((await place.store.mergeLabels(digest, { l: '', n: 'o', 'a.b': 'c' })).labels).toEqual({ n: 'o', 'a.b': 'c' });
    await place.store.setLabels(digest, {});
    expect((await place.store.info(digest)).labels).toEqual({});
  });

  test('filters select blobs by digest, size and labels, and ingests by ref', async () => {
    await using place = await open();
    const [a, b] = [await put(place.store, 'a'), await put(place.store, 'bb')];
    await place.store.setLabels(b, { 'containerd.io/distribution.source.docker.io': 'library/b' });
    const found = async (...filters: string[]) => (await Array.fromAsync(place.store.walk(filters))).map(({ digest }) => digest);
    expect(await found(`digest==${a}`)).toEqual([a]);
    expect(await found('labels."containerd.io/distribution.source.docker.io"~=library/.*')).toEqual([b]);
    expect(await found(`digest==${a}`, `digest==${b}`)).toEqual([a, b].sort());
    await expectRejection(place, found('size=='), 'InvalidArgument: filters: parse error: [size==]: expected value or quoted');
    // Of size containerd 2.1 knows nothing.
    if (!place.isPeer) expect([await found('size==2'), await found('size==1', 'size==2')]).toEqual([[b], [a, b].sort()]);
    await using writer = await place.store.writer({ ref: 'left' });
    await writer.write(bytes('x'));
    expect((await place.store.ingests(['ref==left'])).map(({ ref }) => ref)).toEqual(['left']);
    expect(await place.store.ingests(['ref!=left'])).toEqual([]);
  });

  test.each(['sha256:../../x', 'sha256:', '../x', ''])('%p is no digest', async (digest) => {
    await using place = await open();
    await expectRejection(place, place.store.info(digest), `InvalidArgument: invalid digest ${JSON.stringify(digest)}`);
  });
}
