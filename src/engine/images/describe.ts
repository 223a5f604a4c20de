/** Images as the Engine API tells them. */
import type { ImageConfigJson, ImageHistoryItem, ImageInspect, ImageSummary } from '../../api/docker/index.ts';
import type { ImageProcessConfig } from '../../oci/index.ts';
import { storageDriver } from '../storage-driver.ts';
import { createdSeconds, type EngineImage, familiar } from './image.ts';
import { type Images, labels } from './images.ts';

export async function summarize(images: Images, image: EngineImage, containers: number): Promise<ImageSummary> {
  return {
    Containers: containers,
    Created: createdSeconds(image.config),
    Id: image.id,
    Labels: Object.keys(labels(image)).length === 0 ? null : labels(image),
    ParentId: '',
    RepoDigests: image.pulledAs.map(familiar),
    RepoTags: image.tags.map(familiar),
    SharedSize: -1,
    Size: await images.sizeBytes(image),
  };
}

export async function inspect(images: Images, image: EngineImage): Promise<ImageInspect> {
  const { config } = image;
  const created = createdSeconds(config) === 0 ? undefined : config.created;
  const comment = config.history?.at(-1)?.comment;
  return {
    Id: image.id,
    RepoTags: image.tags.map(familiar),
    RepoDigests: image.pulledAs.map(familiar),
    Parent: '',
    Comment: typeof comment === 'string' ? comment : '',
    ...(created === undefined ? {} : { Created: created }),
    DockerVersion: '',
    Author: typeof config.author === 'string' ? config.author : '',
    Config: runConfig(config.config ?? {}),
    Architecture: config.architecture,
    ...(typeof config.variant === 'string' && config.variant !== '' ? { Variant: config.variant } : {}),
    Os: config.os,
    Size: await images.sizeBytes(image),
    GraphDriver: { Data: null, Name: storageDriver(images.options.snapshots) },
    RootFS: { Type: 'layers', Layers: config.rootfs.diff_ids },
    Metadata: { LastTagTime: image.taggedAt.toISOString() },
    Descriptor: image.target,
  };
}

/** Newest first. Only the newest entry has the image's id: the others never were images here. */
export async function history(images: Images, image: EngineImage): Promise<readonly ImageHistoryItem[]> {
  const layers = image.layers.values();
  const items: ImageHistoryItem[] = [];
  for (const entry of image.config.history ?? []) {
    const layer = entry.empty_layer === true ? undefined : layers.next().value;
    items.unshift({
      Comment: text(entry.comment),
      Created: createdSeconds({ ...image.config, ...(entry.created === undefined ? { created: '' } : { created: entry.created }) }),
      CreatedBy: text(entry.created_by),
      Id: '<missing>',
      Size: layer === undefined ? 0 : await images.layerSizeBytes(layer.chainId),
      Tags: null,
    });
  }
  return items.map((item, index) => (index === 0 ? { ...item, Id: image.id, Tags: image.tags.length === 0 ? null : image.tags.map(familiar) } : item));
}

const runConfigFields = ['User', 'ExposedPorts', 'Env', 'Entrypoint', 'Cmd', 'Volumes', 'WorkingDir', 'Labels', 'StopSignal', 'OnBuild', 'Shell'] as const;

/** Only fields whose types were checked: clients decode by type, and would fail on what a registry made up. */
function runConfig(config: ImageProcessConfig): ImageConfigJson {
  return Object.fromEntries(runConfigFields.filter((name) => config[name] !== undefined && config[name] !== null).map((name) => [name, config[name]]));
}

/** History comes from a registry unchecked. */
function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
