/** Docker's rules for removing names and images (moby daemon/images/image_delete.go), with its texts. */
import type { ImageDeleteItem } from '../../api/docker/index.ts';
import { isCode, StrakeError, shortId } from '../../base/index.ts';
import { parseReference, storeName } from '../../oci/index.ts';
import { danglingName, type EngineImage, familiar, isDangling, isDigestName, repositoryOf } from './image.ts';
import { type Images, labels } from './images.ts';
import { removeContent } from './remove-content.ts';

/** A container that was made from the image. */
export interface ImageUser {
  readonly id: string;
  readonly running: boolean;
}

export interface DeleteOptions {
  readonly force: boolean;
  readonly users: (imageId: string) => readonly ImageUser[];
}

export async function deleteImage(images: Images, text: string, options: DeleteOptions): Promise<readonly ImageDeleteItem[]> {
  const image = await readable(images, text);
  if (image === undefined) return await deleteDamaged(images, text);
  const users = options.users(image.id);
  return isIdOf(image, text) ? await deleteById(images, image, users, options.force) : await deleteByName(images, image, text, users, options.force);
}

/** Undefined for a name whose image cannot be read: its content is damaged or gone. */
async function readable(images: Images, text: string): Promise<EngineImage | undefined> {
  try {
    return await images.get(text);
  } catch (error) {
    if (!(isCode(error, 'NotFound') || isCode(error, 'DataLoss') || isCode(error, 'InvalidArgument'))) throw error;
    if ((await namesLike(images, text)).length === 0) throw error;
    return undefined;
  }
}

/** The name goes, and the content that nothing else needs: what an image is can always be said by pulling it again. */
async function deleteDamaged(images: Images, text: string): Promise<readonly ImageDeleteItem[]> {
  const items: ImageDeleteItem[] = [];
  for (const name of await namesLike(images, text)) {
    await images.options.store.delete(name);
    if (!isDangling(name)) items.push({ Untagged: familiar(name) });
  }
  await images.options.collectGarbage();
  return items;
}

/** The stored name that the text stands for, and the digests that go with it when it is the last tag. */
async function namesLike(images: Images, text: string): Promise<readonly string[]> {
  let name: string;
  try {
    name = storeName(parseReference(text));
  } catch {
    return [];
  }
  const record = await images.record(name);
  if (record === undefined) return [];
  const same = (await images.options.store.list()).filter(({ target }) => target.digest === record.target.digest).map((other) => other.name);
  const hasOtherTag = same.some((other) => other !== name && !isDigestName(other) && !isDangling(other));
  return hasOtherTag ? [name] : [name, ...same.filter((other) => other !== name)];
}

async function deleteByName(
  images: Images,
  image: EngineImage,
  text: string,
  users: readonly ImageUser[],
  force: boolean,
): Promise<readonly ImageDeleteItem[]> {
  const name = storeName(parseReference(text));
  const [user] = users;
  if (!force && isSingleReference(image) && user !== undefined)
    throw conflict(
      `conflict: unable to remove repository reference ${JSON.stringify(text)} (must force) - container ${shortId(user.id)} is using its referenced image ${shortId(image.id)}`,
    );
  const names = [name];
  // The digests of a repository go with its last tag.
  const otherTags = image.tags.filter((tag) => tag !== name && repositoryOf(tag) === repositoryOf(name));
  if (!isDigestName(name) && otherTags.length === 0) names.push(...image.pulledAs.filter((digestName) => repositoryOf(digestName) === repositoryOf(name)));
  const left = [...image.tags, ...image.pulledAs].filter((other) => !names.includes(other));
  const staysForUsers = left.length === 0 && blockers({ ...image, tags: [], pulledAs: [] }, users, force) !== undefined;
  if (staysForUsers) await images.options.store.put({ name: danglingName(image.target.digest), target: image.target });
  const untagged = await untag(images, image, names);
  return left.length > 0 || staysForUsers ? untagged : [...untagged, ...(await remove(images, image))];
}

async function deleteById(images: Images, image: EngineImage, users: readonly ImageUser[], force: boolean): Promise<readonly ImageDeleteItem[]> {
  const blocker = blockers(image, users, force);
  if (blocker !== undefined) throw blocker;
  const untagged = await untag(images, image, [...image.tags, ...image.pulledAs]);
  return [...untagged, ...(await remove(images, image))];
}

/** What keeps the image: a running container always, names in several repositories and stopped containers unless forced. */
function blockers(image: EngineImage, users: readonly ImageUser[], force: boolean): StrakeError | undefined {
  const running = users.find((user) => user.running);
  const because = (how: string, why: string) => conflict(`conflict: unable to delete ${shortId(image.id)} (${how}) - ${why}`);
  if (running !== undefined) return because('cannot be forced', `image is being used by running container ${shortId(running.id)}`);
  if (force) return undefined;
  if (!isSingleReference(image)) return because('must be forced', 'image is referenced in multiple repositories');
  const [stopped] = users;
  return stopped === undefined ? undefined : because('must be forced', `image is being used by stopped container ${shortId(stopped.id)}`);
}

async function untag(images: Images, image: EngineImage, names: readonly string[]): Promise<readonly ImageDeleteItem[]> {
  for (const name of names) {
    await images.options.store.delete(name);
    images.options.events.publish({ type: 'image', action: 'untag', id: image.id, attributes: { ...labels(image), name: image.id } });
  }
  return names.map((name) => ({ Untagged: familiar(name) }));
}

async function remove(images: Images, image: EngineImage): Promise<readonly ImageDeleteItem[]> {
  try {
    await images.options.store.delete(danglingName(image.target.digest));
  } catch (error) {
    if (!isCode(error, 'NotFound')) throw error;
  }
  const removedChainIds = await removeContent(images, image);
  images.options.events.publish({ type: 'image', action: 'delete', id: image.id, attributes: { ...labels(image), name: image.id } });
  return [{ Deleted: image.id }, ...removedChainIds.map((chainId) => ({ Deleted: chainId }))];
}

/** One tag at most, and every digest of the same repository. */
function isSingleReference({ tags, pulledAs }: EngineImage): boolean {
  if (tags.length + pulledAs.length <= 1) return true;
  return tags.length <= 1 && new Set([...tags, ...pulledAs].map(repositoryOf)).size === 1;
}

function isIdOf(image: EngineImage, text: string): boolean {
  return image.id.startsWith(text) || image.id.startsWith(`sha256:${text}`);
}

function conflict(message: string): StrakeError {
  return new StrakeError('FailedPrecondition', message, { fields: { layer: 'engine' } });
}
