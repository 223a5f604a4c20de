/** `strake image mount`: the files of an image as a directory of the machine. */
import path from 'node:path';
import { isCode, StrakeError, shortId } from '../../base/index.ts';
import type { HostMounts, Snapshotter } from '../../core/index.ts';
import { familiar } from './image.ts';
import type { Images } from './images.ts';

export interface MountedImage {
  /** The image's id. */
  readonly id: string;
  /** Its tags, as people see them; none when it has gone meanwhile. */
  readonly names: readonly string[];
  readonly path: string;
}

export interface ImageMountsOptions {
  readonly images: Images;
  readonly snapshots: Snapshotter;
  readonly mounts: HostMounts;
  /** Where the directories are made. */
  readonly directory: string;
}

/** Keys of the views that are mounted begin so; the image's id follows. */
const keyPrefix = 'image-mount ';
/** containerd's label: the view, and so every layer below it, is kept as long as it is there. */
const rootLabel = 'containerd.io/gc.root';

export class ImageMounts {
  private readonly options: ImageMountsOptions;

  constructor(options: ImageMountsOptions) {
    this.options = options;
  }

  /** Answers where. An image that is mounted stays where it is. */
  async mount(name: string): Promise<string> {
    const { images, snapshots, mounts } = this.options;
    const image = await images.get(name);
    if (image.chainId === undefined)
      throw new StrakeError('FailedPrecondition', `image ${shortId(image.id)} has no layers to mount`, { fields: { layer: 'engine' } });
    const target = this.pathOf(image.id);
    if (mounts.isMounted(target)) return target;
    const view = await this.view(image.id, image.chainId);
    try {
      await mounts.mount(target, view);
    } catch (error) {
      await snapshots.remove(`${keyPrefix}${image.id}`);
      throw error;
    }
    return target;
  }

  /** NotFound when it is not mounted. */
  async unmount(name: string): Promise<void> {
    const { snapshots, mounts } = this.options;
    const id = await this.mountedId(name);
    const target = this.pathOf(id);
    if (mounts.isMounted(target)) await mounts.unmount(target);
    await snapshots.remove(`${keyPrefix}${id}`);
  }

  async list(): Promise<readonly MountedImage[]> {
    const all = await this.options.images.list();
    return (await this.ids())
      .filter((id) => this.options.mounts.isMounted(this.pathOf(id)))
      .map((id) => ({ id, names: (all.find((image) => image.id === id)?.tags ?? []).map(familiar), path: this.pathOf(id) }));
  }

  /** Once at the start: views whose mounts have gone with the machine's last life. */
  async recover(): Promise<void> {
    for (const id of await this.ids()) if (!this.options.mounts.isMounted(this.pathOf(id))) await this.options.snapshots.remove(`${keyPrefix}${id}`);
  }

  private async view(id: string, chainId: string) {
    const { snapshots } = this.options;
    const key = `${keyPrefix}${id}`;
    try {
      return await snapshots.view(key, chainId, { [rootLabel]: new Date().toISOString() });
    } catch (error) {
      if (!isCode(error, 'AlreadyExists')) throw error;
      return await snapshots.mounts(key);
    }
  }

  /** Also of an image that has no name, or is no image, any more: by its id. */
  private async mountedId(name: string): Promise<string> {
    const ids = await this.ids();
    const byId = ids.filter((id) => name.length >= 4 && (id.startsWith(name) || id.startsWith(`sha256:${name}`)));
    const [only] = byId;
    if (byId.length === 1 && only !== undefined) return only;
    const { id } = await this.options.images.get(name);
    if (ids.includes(id)) return id;
    throw new StrakeError('NotFound', `image ${name} is not mounted`, { fields: { layer: 'engine' } });
  }

  private async ids(): Promise<readonly string[]> {
    const infos = await Array.fromAsync(this.options.snapshots.walk());
    return infos.filter(({ key }) => key.startsWith(keyPrefix)).map(({ key }) => key.slice(keyPrefix.length));
  }

  private pathOf(id: string): string {
    return path.join(this.options.directory, shortId(id));
  }
}
