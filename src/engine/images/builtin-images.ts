/** The images that come with the executable. */
import { readFile } from 'node:fs/promises';
import { StrakeError } from '../../base/index.ts';
import { type ImageRecord, type ImportTarget, importImage, writeTar } from '../../core/index.ts';

export interface BuiltinImages {
  /** Stores and unpacks the image of this canonical name; undefined when there is none such. Idempotent. */
  create(name: string): Promise<ImageRecord | undefined>;
}

const helloName = 'docker.io/library/hello:latest';

/** `helloProgram`: the static program `strake-hello`, beside the executable. */
export function createBuiltinImages(target: ImportTarget, helloProgram: string): BuiltinImages {
  return {
    async create(name) {
      if (name !== helloName) return undefined;
      return await importImage(target, {
        name,
        config: {
          config: { Env: ['PATH=/'], Entrypoint: ['/hello'], WorkingDir: '/' },
          history: [{ created_by: 'strake: built-in image', comment: 'prints what its container looks like from inside' }],
        },
        layers: [writeTar([{ name: 'hello', type: 'file', mode: 0o755, content: await readProgram(helloProgram) }])],
      });
    },
  };
}

async function readProgram(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new StrakeError('NotFound', `cannot read the built-in image's program ${file}`, { cause, fields: { layer: 'engine', remedy: 'npm run build' } });
  }
}
