import { isCode, StrakeError } from '../../base/index.ts';
import { type ContentStore, type ImageFacts, type ImageRecord, type ImageStore, readImageFacts } from '../../core/index.ts';
import { type Descriptor, isDigest, parseReference, storeName } from '../../oci/index.ts';
import { type CriImage, joinImage } from './image.ts';

export interface ImagesOptions {
  readonly content: Pick<ContentStore, 'readAll'>;
  readonly store: ImageStore;
  /** Names of images that are kept from garbage collection, as users write them. */
  readonly pinned?: readonly string[] | undefined;
}

/** Documents that were read are remembered for so many images. */
const maxRemembered = 1024;

/** An image, and all records that stand for it. */
interface NamedFacts {
  readonly facts: ImageFacts;
  readonly records: ImageRecord[];
}

/** The images of a namespace, as its stores have them now: whoever else gives names there is seen at once. */
export class Images {
  readonly #options: ImagesOptions;
  readonly #pinned: ReadonlySet<string>;
  /** By the digest of a target, which says all of it. */
  readonly #facts = new Map<string, ImageFacts>();

  constructor(options: ImagesOptions) {
    this.#options = options;
    this.#pinned = new Set((options.pinned ?? []).map((name) => storeName(parseReference(name))));
  }

  /** What cannot be read, such as an image of another platform alone, is not there for the CRI. */
  async list(): Promise<readonly CriImage[]> {
    return (await this.#named()).map((image) => this.#join(image));
  }

  /** By a name, an id or the beginning of one; undefined when there is none. InvalidArgument for an ambiguous beginning. */
  async find(text: string): Promise<CriImage | undefined> {
    const named = await this.#byName(nameOf(text));
    if (named !== undefined) return this.#join(named);
    const id = /^(?:sha256:)?([0-9a-f]{1,64})$/.exec(text)?.[1];
    if (id === undefined) return undefined;
    const [found, ...more] = (await this.#named()).filter(({ facts }) => facts.id.startsWith(`sha256:${id}`));
    if (more.length > 0)
      throw new StrakeError('InvalidArgument', `image id ${JSON.stringify(text)} is ambiguous: ${more.length + 1} begin so`, { fields: { layer: 'cri' } });
    return found === undefined ? undefined : this.#join(found);
  }

  /** As `find`; NotFound when there is none. */
  async get(text: string): Promise<CriImage> {
    const found = await this.find(text);
    if (found === undefined)
      throw new StrakeError('NotFound', `image ${JSON.stringify(text)}: not found`, { fields: { layer: 'cri', remedy: 'pull it first' } });
    return found;
  }

  /** All names of the image; of one that cannot be read, the name that is given. None when there is none. */
  async namesOf(text: string): Promise<readonly string[]> {
    // So that all targets have been read.
    await this.#named();
    const found = await this.find(text);
    if (found !== undefined) return found.names;
    const record = await this.#record(nameOf(text));
    return record === undefined ? [] : [record.name];
  }

  /** The image of a name, which is looked up whenever a container is made: of other images nothing is read. Those of its names that lead to it by another target are told once that was read. */
  async #byName(name: string | undefined): Promise<NamedFacts | undefined> {
    const record = await this.#record(name);
    const facts = record && (await this.#read(record.target));
    if (facts === undefined) return undefined;
    const targets = [...this.#facts.values()].filter(({ id }) => id === facts.id).map(({ target }) => `target.digest==${target.digest}`);
    const records = [...(await this.#options.store.list(targets))];
    return records.length === 0 ? undefined : { facts, records };
  }

  /** Undefined where there is none, or a damaged one. */
  async #record(name: string | undefined): Promise<ImageRecord | undefined> {
    if (name === undefined) return undefined;
    try {
      return await this.#options.store.get(name);
    } catch (error) {
      if (isCode(error, 'NotFound') || isCode(error, 'DataLoss')) return undefined;
      throw error;
    }
  }

  async #named(): Promise<readonly NamedFacts[]> {
    const byId = new Map<string, NamedFacts>();
    for (const [, records] of Map.groupBy(await this.#options.store.list(), ({ target }) => target.digest)) {
      const facts = await this.#read((records[0] as ImageRecord).target);
      if (facts === undefined) continue;
      const known = byId.get(facts.id);
      if (known === undefined) byId.set(facts.id, { facts, records: [...records] });
      else known.records.push(...records);
    }
    return [...byId.values()];
  }

  #join({ facts, records }: NamedFacts): CriImage {
    return joinImage(facts, records, this.#pinned);
  }

  async #read(target: Descriptor): Promise<ImageFacts | undefined> {
    const known = this.#facts.get(target.digest);
    if (known !== undefined) return known;
    try {
      const facts = await readImageFacts(this.#options.content, target);
      const [oldest] = this.#facts.keys();
      if (this.#facts.size >= maxRemembered && oldest !== undefined) this.#facts.delete(oldest);
      this.#facts.set(target.digest, facts);
      return facts;
    } catch (error) {
      if (isCode(error, 'NotFound') || isCode(error, 'InvalidArgument') || isCode(error, 'DataLoss')) return undefined;
      throw error;
    }
  }
}

function nameOf(text: string): string | undefined {
  if (isDigest(text)) return text;
  try {
    return storeName(parseReference(text));
  } catch {
    return undefined;
  }
}
