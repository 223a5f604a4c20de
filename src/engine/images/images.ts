import { errorCode, isCode, type Logger, StrakeError } from '../../base/index.ts';
import {
  type ContentStore,
  type GarbageOptions,
  type GarbageReport,
  type ImageFacts,
  type ImageRecord,
  type ImageStore,
  type Leases,
  movedOn,
  readImageFacts,
  type Snapshotter,
} from '../../core/index.ts';
import { type Descriptor, familiarName, type ImageConfig, parseReference, type Reference, storeName, withDefaultTag } from '../../oci/index.ts';
import type { EngineEvents } from '../events/index.ts';
import type { BuiltinImages } from './builtin-images.ts';
import { danglingName, type EngineImage, isDangling, isDigestName } from './image.ts';

export interface ImagesOptions {
  readonly content: ContentStore;
  readonly store: ImageStore;
  readonly snapshots: Snapshotter;
  readonly events: Pick<EngineEvents, 'publish'>;
  /** Those made from the executable's own files, at the first use of their name. */
  readonly builtins: BuiltinImages;
  readonly leases: Leases;
  /** Removes what nothing needs any more. */
  readonly collectGarbage: (options?: GarbageOptions) => Promise<Pick<GarbageReport, 'snapshots' | 'freedBytes'>>;
  /** Makes what was done so far survive a power loss. */
  readonly flush: () => void;
  readonly log: Logger;
}

/** Docker's view of the image store: ids, short ids, tags and pulled digests. */
export class Images {
  readonly options: ImagesOptions;
  /** By target digest. What a digest stands for never changes; an entry that failed is not kept. */
  private readonly facts = new Map<string, Promise<ImageFacts>>();
  private readonly sizes = new Map<string, number>();

  constructor(options: ImagesOptions) {
    this.options = options;
  }

  /** By name, digest, id or the unique beginning of an id. NotFound with Docker's text. */
  async get(text: string): Promise<EngineImage> {
    const found = (await this.byName(text)) ?? (await this.byId(text)) ?? (await this.builtin(text));
    if (found !== undefined) return found;
    throw new StrakeError('NotFound', `No such image: ${shownName(text)}`, { fields: { layer: 'engine' } });
  }

  /** Every image once, newest first. One that cannot be read is logged and left out, so that a damaged blob does not hide the others. */
  async list(): Promise<readonly EngineImage[]> {
    const byTarget = Map.groupBy(await this.options.store.list(), ({ target }) => target.digest);
    const images = await Promise.all(
      [...byTarget.values()].map(async (records) => {
        const [first] = records;
        if (first === undefined) return undefined;
        try {
          return { facts: await this.read(first.target), records };
        } catch (error) {
          this.options.log.warn(`cannot read image ${first.name}`, { error, code: errorCode(error) });
          return undefined;
        }
      }),
    );
    const byId = Map.groupBy(
      images.filter((image) => image !== undefined),
      ({ facts }) => facts.id,
    );
    return [...byId.values()].flatMap((same) =>
      same[0] === undefined
        ? []
        : [
            join(
              same[0].facts,
              same.flatMap(({ records }) => records),
            ),
          ],
    );
  }

  /** What a container is made from. */
  async forContainer(
    text: string,
  ): Promise<{ readonly id: string; readonly config: ImageConfig; readonly snapshot: string | undefined; readonly sizeBytes: number }> {
    const image = await this.get(text);
    return { id: image.id, config: image.config, snapshot: image.chainId, sizeBytes: await this.sizeBytes(image) };
  }

  /** Gives the image another name; the image that had it before keeps a nameless place in the list. */
  async tag(image: EngineImage, reference: Reference): Promise<void> {
    if (reference.digest !== undefined) throw new StrakeError('InvalidArgument', 'refusing to create a tag with a digest reference');
    await this.assign(storeName(reference), image.target);
    this.options.events.publish({
      type: 'image',
      action: 'tag',
      id: image.id,
      attributes: { ...labels(image), name: familiarName(withDefaultTag(reference)) },
    });
  }

  /** Lets `name` stand for `target`. NotFound when that is removed meanwhile. */
  async assign(name: string, target: Descriptor): Promise<void> {
    const { store, content, leases } = this.options;
    using lease = leases.acquire();
    // Held before it is looked for: what is there then stays, with all that it refers to.
    lease.add(target.digest);
    await content.info(target.digest);
    const before = await this.record(name);
    await store.put({ name, target, ...(before === undefined ? {} : { labels: movedOn(before, target.digest) }) });
    if (await this.record(danglingName(target.digest))) await store.delete(danglingName(target.digest));
    if (before === undefined || before.target.digest === target.digest) return;
    const others = (await store.list()).some((record) => record.target.digest === before.target.digest);
    if (!others) await store.put({ name: danglingName(before.target.digest), target: before.target });
  }

  async read(target: Descriptor): Promise<ImageFacts> {
    const known = this.facts.get(target.digest);
    if (known !== undefined) return await known;
    const reading = readImageFacts(this.options.content, target);
    this.facts.set(target.digest, reading);
    reading.catch(() => this.facts.delete(target.digest));
    return await reading;
  }

  /** Forgets what was read of a target: another platform of an index may have come. */
  forgetTarget(target: Descriptor): void {
    this.facts.delete(target.digest);
  }

  /** Forgets what was read of an image whose content goes away. */
  forget(facts: ImageFacts): void {
    this.forgetTarget(facts.target);
    for (const { chainId } of facts.layers) this.sizes.delete(chainId);
  }

  /** Bytes of one unpacked layer; 0 when it is not unpacked. */
  async layerSizeBytes(chainId: string): Promise<number> {
    const known = this.sizes.get(chainId);
    if (known !== undefined) return known;
    try {
      const { sizeBytes } = await this.options.snapshots.usage(chainId);
      this.sizes.set(chainId, sizeBytes);
      return sizeBytes;
    } catch (error) {
      if (isCode(error, 'NotFound')) return 0;
      throw error;
    }
  }

  async sizeBytes(image: ImageFacts): Promise<number> {
    const sizes = await Promise.all(image.layers.map(async ({ chainId }) => await this.layerSizeBytes(chainId)));
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  async record(name: string): Promise<ImageRecord | undefined> {
    try {
      return await this.options.store.get(name);
    } catch (error) {
      if (isCode(error, 'NotFound')) return undefined;
      throw error;
    }
  }

  private async byName(text: string): Promise<EngineImage | undefined> {
    const reference = tryParse(text);
    const record = reference === undefined ? undefined : await this.record(storeName(reference));
    return record === undefined ? undefined : await this.joinRecords(record.target);
  }

  private async joinRecords(target: Descriptor): Promise<EngineImage> {
    const facts = await this.read(target);
    const records = (await this.options.store.list()).filter((record) => record.target.digest === target.digest);
    return join(facts, records);
  }

  private async byId(text: string): Promise<EngineImage | undefined> {
    const match = /^(?:sha256:)?([0-9a-f]{1,64})$/.exec(text);
    if (match === null) return undefined;
    const found = (await this.list()).filter(({ id }) => id.startsWith(`sha256:${match[1]}`));
    if (found.length > 1) throw new StrakeError('InvalidArgument', `multiple IDs found with provided prefix: ${text}`);
    return found[0];
  }

  private async builtin(text: string): Promise<EngineImage | undefined> {
    const reference = tryParse(text);
    if (reference === undefined) return undefined;
    const record = await this.options.builtins.create(storeName(reference));
    return record === undefined ? undefined : await this.joinRecords(record.target);
  }
}

export function labels(image: ImageFacts): Readonly<Record<string, string>> {
  return image.config.config?.Labels ?? {};
}

function join(facts: ImageFacts, records: readonly ImageRecord[]): EngineImage {
  const names = records.map(({ name }) => name).filter((name) => !isDangling(name));
  return {
    ...facts,
    tags: names.filter((name) => !isDigestName(name)).toSorted(),
    pulledAs: names.filter(isDigestName).toSorted(),
    taggedAt: new Date(Math.max(0, ...records.map(({ updatedAt }) => updatedAt.getTime()))),
  };
}

function tryParse(text: string): Reference | undefined {
  try {
    return parseReference(text);
  } catch {
    return undefined;
  }
}

/** As the reference would be pulled; what is no reference is shown as it is. */
function shownName(text: string): string {
  const reference = tryParse(text);
  return reference === undefined ? text : familiarName(withDefaultTag(reference));
}
