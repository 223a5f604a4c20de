import { isCode } from '../../base/index.ts';
import type { EngineClient } from '../../docker-client/index.ts';

export interface PauseImageOptions {
  readonly client: EngineClient;
  /** The name of an image whose process waits; it is pulled when it is missing. */
  readonly name?: string;
  /** What is made when there is no such name: the root file system as a tar archive, whose program /pause waits when it is told `pause`. */
  readonly archive: () => Promise<Uint8Array>;
  /** Changes with the archive. */
  readonly version: string;
  /** Pulls an image. */
  readonly pull: (name: string) => Promise<unknown>;
}

const ownRepository = 'strake/pause';

/** The image of the container that holds a pod's namespaces: by default one that is made here, of strake-init. */
export class PauseImage {
  readonly #options: PauseImageOptions;
  #making: Promise<string> | undefined;

  constructor(options: PauseImageOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.name ?? `${ownRepository}:${this.#options.version}`;
  }

  /** Its name, once it is there. */
  async ensure(): Promise<string> {
    this.#making ??= this.#make().finally(() => {
      this.#making = undefined;
    });
    return await this.#making;
  }

  async #make(): Promise<string> {
    const { client, name, archive, version, pull } = this.#options;
    try {
      await client.get(`/images/${this.name}/json`);
      return this.name;
    } catch (error) {
      if (!isCode(error, 'NotFound')) throw error;
    }
    if (name !== undefined) await pull(name);
    else {
      const bytes = await archive();
      const query = { fromSrc: '-', repo: ownRepository, tag: version, changes: 'ENTRYPOINT ["/pause","pause"]' };
      const chunks = (async function* () {
        yield bytes;
      })();
      await (await client.call('POST', '/images/create', { query, upload: { contentType: 'application/x-tar', chunks } })).text();
    }
    return this.name;
  }
}
