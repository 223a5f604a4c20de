import { isCode, StrakeError } from '../../base/index.ts';
import { saveArchive } from '../../core/index.ts';
import { type Descriptor, type Platform, parseReference, type Reference, repositoryName, storeName } from '../../oci/index.ts';
import { isDangling, isDigestName, repositoryOf } from './image.ts';
import { type Images, labels } from './images.ts';

export interface SaveOptions {
  readonly platform?: Platform | undefined;
  readonly signal: AbortSignal;
}

/** `docker save`: an archive of what the names stand for. Everything is looked up before the first byte, so that what is missing is an error and not half an archive. */
export async function saveImages(images: Images, texts: readonly string[], options: SaveOptions): Promise<AsyncIterable<Uint8Array>> {
  const chosen = new Map<string, { readonly target: Descriptor; readonly names: Set<string> }>();
  for (const text of texts)
    for (const { target, name } of await named(images, text)) {
      const entry = chosen.get(target.digest) ?? { target, names: new Set() };
      chosen.set(target.digest, entry);
      if (name !== undefined) entry.names.add(name);
    }
  const archived = [...chosen.values()].map(({ target, names }) => ({ target, names: [...names].toSorted() }));
  const archive = await saveArchive({ content: images.options.content, images: archived, ...options });
  for (const { target } of archived) {
    const image = await images.read(target);
    images.options.events.publish({ type: 'image', action: 'save', id: image.id, attributes: { ...labels(image), name: image.id } });
  }
  return archive;
}

/** A repository alone stands for all of its tags, an id or a digest for an image without a name. */
async function named(images: Images, text: string): Promise<readonly { readonly target: Descriptor; readonly name?: string }[]> {
  const reference = tryParse(text);
  if (reference !== undefined && reference.tag === undefined && reference.digest === undefined) {
    const repository = repositoryName(reference);
    const tagged = (await images.options.store.list()).filter(({ name }) => !isDangling(name) && !isDigestName(name) && repositoryOf(name) === repository);
    if (tagged.length > 0) return tagged.map(({ name, target }) => ({ name, target }));
  }
  const { target, tags } = await images.get(text).catch((error: unknown) => {
    throw isCode(error, 'NotFound') && reference !== undefined
      ? new StrakeError('NotFound', 'reference does not exist', { cause: error, fields: { layer: 'engine', image: text } })
      : error;
  });
  const name = reference === undefined || reference.digest !== undefined ? undefined : storeName(reference);
  return [name !== undefined && tags.includes(name) ? { target, name } : { target }];
}

function tryParse(text: string): Reference | undefined {
  try {
    return parseReference(text);
  } catch {
    return undefined;
  }
}
