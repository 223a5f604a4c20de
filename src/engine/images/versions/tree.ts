import type { ImageTree, ImageTreeLayer } from '../../../api/docker/index.ts';
import { earlierVersions } from '../../../core/index.ts';
import { type EngineImage, familiar } from '../image.ts';
import type { Images } from '../images.ts';
import { layerUsers } from '../layer-users.ts';

/** An image's layers, bottom first, who else has each, and what its names stood for before. */
export async function imageTree(images: Images, name: string): Promise<ImageTree> {
  const image = await images.get(name);
  const users = layerUsers(await images.list());
  const steps = createdBy(image);
  const layers: ImageTreeLayer[] = [];
  for (const [index, { chainId, diffId, digest }] of image.layers.entries()) {
    const others = (users.get(chainId) ?? []).filter(({ id }) => id !== image.id);
    layers.push({
      ChainId: chainId,
      DiffId: diffId,
      Digest: digest,
      Size: await images.layerSizeBytes(chainId),
      CreatedBy: steps[index] ?? '',
      SharedWith: others.map(shownName),
    });
  }
  const shared = layers.filter(({ SharedWith: others }) => others.length > 0).reduce((sum, { Size: size }) => sum + size, 0);
  const total = layers.reduce((sum, { Size: size }) => sum + size, 0);
  return {
    Id: image.id,
    Digest: image.target.digest,
    Names: image.tags.map(familiar),
    Size: total,
    SharedSize: shared,
    OwnSize: total - shared,
    Layers: layers,
    Versions: await versionsOf(images, image),
  };
}

async function versionsOf(images: Images, image: EngineImage): Promise<ImageTree['Versions']> {
  const versions: { readonly Name: string; readonly Digest: string; readonly Present: boolean }[] = [];
  const present = new Set((await images.options.store.list()).map(({ target }) => target.digest));
  for (const tag of image.tags) {
    const record = await images.record(tag);
    for (const digest of record === undefined ? [] : earlierVersions(record))
      versions.push({ Name: familiar(tag), Digest: digest, Present: present.has(digest) });
  }
  return versions;
}

/** The steps that made the layers, where there is one for each. */
function createdBy({ config, layers }: EngineImage): readonly string[] {
  const steps = (config.history ?? [])
    .filter((entry) => entry.empty_layer !== true)
    .map((entry) => (typeof entry.created_by === 'string' ? entry.created_by : ''));
  return steps.length === layers.length ? steps : [];
}

function shownName({ tags, id }: EngineImage): string {
  const [tag] = tags;
  return tag === undefined ? id : familiar(tag);
}
