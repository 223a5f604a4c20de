import { isCode, randomId } from '../../base/index.ts';
import { TarReader } from '../../core/index.ts';
import type { FileReader } from '../../core/tasks/index.ts';
import { type Engine, engineName } from '../engine/engine.ts';
import { typeLabel } from '../engine/labels.ts';
import { refuse } from '../refuse.ts';

const limits = { entries: 1, headerBytes: 1 << 20 } as const;

/** Files of images, by their ids, which the engine gives out of containers alone: out of one that is never started, and is removed. */
export class ImageFiles implements FileReader<string> {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  async read(imageId: string, paths: readonly string[], limitBytes: number): Promise<readonly (Buffer | undefined)[]> {
    const id = await this.#engine.create(engineName('image-files', randomId()), {
      Image: imageId,
      Entrypoint: ['none'],
      Labels: { [typeLabel]: 'image-files' },
      HostConfig: { NetworkMode: 'none' },
    });
    try {
      return await Promise.all(paths.map(async (path) => await this.#file(id, path, limitBytes)));
    } finally {
      await this.#engine.remove(id);
    }
  }

  /** Containers of a shim that was killed meanwhile. */
  async clean(): Promise<void> {
    for (const { Id } of await this.#engine.list('image-files')) await this.#engine.remove(Id);
  }

  async #file(id: string, path: string, limitBytes: number): Promise<Buffer | undefined> {
    const pieces: Buffer[] = [];
    let left = limitBytes;
    const reader = new TarReader(
      {
        entry({ kind }) {
          if (kind !== 'file') throw refuse('InvalidArgument', `${path} of the image is not a regular file`);
        },
        data(bytes) {
          left -= bytes.length;
          if (left < 0) throw refuse('OutOfRange', `${path} of the image has more than ${limitBytes} bytes`);
          pieces.push(Buffer.from(bytes));
        },
      },
      limits,
    );
    try {
      const { body } = await this.#engine.client.call('GET', `/containers/${id}/archive`, { query: { path } });
      for await (const chunk of body) reader.push(chunk);
    } catch (error) {
      if (isCode(error, 'NotFound')) return undefined;
      throw error;
    }
    reader.end();
    return Buffer.concat(pieces);
  }
}
