/** The images that come with the executable. */
import { readFile } from 'node:fs/promises';
import { StrakeError } from '../../base/index.ts';
import type { ContentStore } from '../../core/content/content.ts';
import { type Descriptor, digestOf, hostPlatform, mediaTypes } from '../../oci/index.ts';
import { tarOfFile } from './tar-of-file.ts';

export interface BuiltinImages {
  /** Stores and unpacks the image of this name; undefined when there is none such. Idempotent. */
  create(name: string): Promise<Descriptor | undefined>;
}

export interface BuiltinImagesOptions {
  readonly content: ContentStore;
  /** The static program `strake-hello`, beside the executable. */
  readonly helloProgram: string;
  /** Makes the committed snapshots of a manifest's layers. */
  readonly unpack: (manifest: Descriptor) => Promise<void>;
}

const helloName = 'docker.io/library/hello:latest';

export function createBuiltinImages(options: BuiltinImagesOptions): BuiltinImages {
  return {
    async create(name) {
      if (name !== helloName) return undefined;
      const manifest = await storeHello(options);
      await options.unpack(manifest);
      return manifest;
    },
  };
}

async function storeHello({ content, helloProgram }: BuiltinImagesOptions): Promise<Descriptor> {
  const layer = tarOfFile('hello', await readProgram(helloProgram), 0o755);
  const config = JSON.stringify({
    ...hostPlatform(),
    config: { Env: ['PATH=/'], Entrypoint: ['/hello'], WorkingDir: '/' },
    rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
    history: [{ created_by: 'strake: built-in image', comment: 'prints what its container looks like from inside' }],
  });
  const layerDescriptor = await store(content, mediaTypes.ociLayer, layer);
  const configDescriptor = await store(content, mediaTypes.ociConfig, Buffer.from(config));
  const manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config: configDescriptor, layers: [layerDescriptor] };
  return await store(content, mediaTypes.ociManifest, Buffer.from(JSON.stringify(manifest)));
}

async function readProgram(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new StrakeError('NotFound', `cannot read the built-in image's program ${file}`, { cause, fields: { layer: 'engine', remedy: 'npm run build' } });
  }
}

async function store(content: ContentStore, mediaType: string, bytes: Uint8Array): Promise<Descriptor> {
  const digest = digestOf(bytes);
  const descriptor = { mediaType, digest, size: bytes.length };
  try {
    await using writer = await content.writer({ ref: `builtin-${digest}`, expectedDigest: digest, expectedSizeBytes: bytes.length });
    await writer.truncate();
    await writer.write(bytes);
    await writer.commit({ digest, sizeBytes: bytes.length });
  } catch (error) {
    if (!(error instanceof StrakeError) || error.code !== 'AlreadyExists') throw error;
  }
  return descriptor;
}
