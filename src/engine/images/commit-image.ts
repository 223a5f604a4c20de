import { type Comparer, composeImage, LayersAhead, putLayer } from '../../core/index.ts';
import { canonicalName, familiarName, hostPlatform, type ImageConfig, type ImageProcessConfig, type Reference, withDefaultTag } from '../../oci/index.ts';
import { applyChanges } from './changes.ts';
import { labels } from './images.ts';
import { type ImageWork, keepNameless, makeImage, unpackStored } from './store-image.ts';

export interface CommitOptions {
  readonly reference: Reference | undefined;
  readonly author: string;
  readonly comment: string;
  readonly changes: readonly string[];
  /** What the client gives instead of the container's configuration; what it leaves out is the container's. */
  readonly config: ImageProcessConfig | undefined;
  readonly signal: AbortSignal;
}

/** A container as `docker commit` sees it (engine/containers: CommitSource). */
export interface CommittedContainer {
  readonly imageId: string;
  readonly config: ImageProcessConfig;
  readonly mount: Parameters<Comparer['layer']>[1];
  readonly below: Parameters<Comparer['layer']>[0];
  readonly mountPoints: readonly string[];
}

/** The sha256 of an archive without entries: no layer is made of it. */
const emptyDiffId = 'sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef';

export interface Committed {
  readonly imageId: string;
  /** As people see it; empty without one. */
  readonly imageName: string;
}

/** An image of what a container has changed, over the image that it was made from. */
export async function commitImage(work: CommitWork, container: CommittedContainer, options: CommitOptions): Promise<Committed> {
  return await makeImage(work, async () => await commit(work, container, options));
}

type CommitWork = ImageWork & { readonly comparer: Comparer };

async function commit(
  work: CommitWork,
  container: CommittedContainer,
  { reference, author, comment, changes, config: given, signal }: CommitOptions,
): Promise<Committed> {
  const { images, comparer, leases, unpacker } = work;
  const { content } = images.options;
  using lease = leases.acquire();
  const base = await baseOf(work, container.imageId);
  const processConfig = applyChanges(mergeCommit(given ?? {}, container.config), changes);
  await using ahead = new LayersAhead({ unpacker, lease, parent: base, signal });
  const archive = comparer.layer(container.below, container.mount, { signal, mountPoints: container.mountPoints });
  const layer = await putLayer(content, lease, archive, { signal, onLayer: ahead.unpack });
  const isEmpty = layer.diffId === emptyDiffId;
  const created = new Date().toISOString();
  const config: ImageConfig = {
    ...base.config,
    created,
    ...(author === '' ? {} : { author }),
    config: imageFields(processConfig),
    rootfs: { type: 'layers', diff_ids: [...base.config.rootfs.diff_ids, ...(isEmpty ? [] : [layer.diffId])] },
    history: [
      ...(base.config.history ?? []),
      {
        created,
        created_by: (container.config.Cmd ?? []).join(' '),
        ...(author === '' ? {} : { author }),
        ...(comment === '' ? {} : { comment }),
        ...(isEmpty ? { empty_layer: true } : {}),
      },
    ],
  };
  const target = await composeImage(content, lease, { config, layers: [...base.layers, ...(isEmpty ? [] : [layer.descriptor])] });
  const image = await unpackStored(work, target, { lease, ahead, signal });
  if (reference === undefined) {
    await keepNameless(images, target);
    images.options.flush();
    return { imageId: image.id, imageName: '' };
  }
  const named = withDefaultTag(reference);
  await images.assign(canonicalName(named), target);
  images.options.flush();
  images.options.events.publish({ type: 'image', action: 'tag', id: image.id, attributes: { ...labels(image), name: familiarName(named) } });
  return { imageId: image.id, imageName: familiarName(named) };
}

/** Of a container without an image, or one whose image has no content any more: NotFound. */
async function baseOf({ images }: ImageWork, imageId: string) {
  const { config, manifest, chainId } = await images.get(imageId);
  return { config: { ...hostPlatform(), ...config }, layers: manifest.layers, chainId };
}

/** moby daemon/commit.go: what the client has not said is the container's. */
function mergeCommit(given: ImageProcessConfig, own: ImageProcessConfig): ImageProcessConfig {
  const names = new Set((given.Env ?? []).map(nameOf));
  const inheritsCommand = (given.Entrypoint ?? []).length === 0;
  const cmd = inheritsCommand && (given.Cmd ?? []).length === 0 ? own.Cmd : given.Cmd;
  return {
    ...own,
    ...given,
    User: given.User || own.User || '',
    WorkingDir: given.WorkingDir || own.WorkingDir || '',
    Env: [...(given.Env ?? []), ...(own.Env ?? []).filter((entry) => !names.has(nameOf(entry)))],
    Cmd: cmd ?? null,
    Entrypoint: given.Entrypoint ?? own.Entrypoint ?? null,
    ExposedPorts: { ...own.ExposedPorts, ...given.ExposedPorts },
    Volumes: { ...own.Volumes, ...given.Volumes },
    Labels: { ...own.Labels, ...given.Labels },
  };
}

const fields = [
  'User',
  'ExposedPorts',
  'Env',
  'Entrypoint',
  'Cmd',
  'Volumes',
  'WorkingDir',
  'Labels',
  'StopSignal',
  'StopTimeout',
  'Healthcheck',
  'OnBuild',
  'Shell',
] as const;

/** What image-spec and Docker have in an image's configuration, of a container's; what is empty says nothing. */
function imageFields(config: ImageProcessConfig): ImageProcessConfig {
  return Object.fromEntries(fields.filter((name) => !isEmptyValue(config[name])).map((name) => [name, config[name]]));
}

function isEmptyValue(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

function nameOf(entry: string): string {
  return entry.split('=', 1)[0] ?? '';
}
