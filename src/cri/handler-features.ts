import type { MessageInitShape } from '@bufbuild/protobuf';
import type { RuntimeInfo } from '../api/containerd/index.ts';
import type { criRuntime } from '../api/cri/index.ts';
import { errorMessage, type Logger } from '../base/index.ts';
import { type Features, parseJson } from '../oci/index.ts';
import type { RuntimeHandler } from './handlers.ts';

type Told = MessageInitShape<typeof criRuntime.RuntimeHandlerFeaturesSchema>;

/** What a shim says of itself (its `-info`). */
export type AskShim = (runtimeName: string) => Promise<RuntimeInfo>;

/** What pods of a handler can ask for. A shim is asked once: what it says holds as long as this process. */
export class HandlerFeatures {
  readonly #askShim: AskShim;
  readonly #log: Logger;
  readonly #asked = new Map<string, Promise<Told>>();

  constructor({ askShim, log }: { readonly askShim: AskShim; readonly log: Logger }) {
    this.#askShim = askShim;
    this.#log = log;
  }

  async of({ runtimeName, isShim = false }: RuntimeHandler): Promise<Told> {
    // The mounts of all others are made by the same operations; binaries say no to what they do not know.
    if (!isShim) return { recursiveReadOnlyMounts: true, userNamespaces: true };
    const asked = this.#asked.get(runtimeName) ?? this.#ask(runtimeName);
    this.#asked.set(runtimeName, asked);
    return await asked;
  }

  /** Nothing of one that does not tell. */
  async #ask(runtimeName: string): Promise<Told> {
    try {
      const { features } = await this.#askShim(runtimeName);
      return features === undefined ? {} : toldOf(parseJson(Buffer.from(features.value).toString(), `features of ${runtimeName}`) as Features);
    } catch (error) {
      this.#log.warn('a shim does not say what it can do', { runtime: runtimeName, error: errorMessage(error) });
      return {};
    }
  }
}

/** As containerd's CRI reads the features of the runtime specification. */
function toldOf({ mountOptions, linux }: Features): Told {
  return {
    recursiveReadOnlyMounts: mountOptions?.includes('rro') ?? false,
    userNamespaces: (linux?.namespaces?.includes('user') ?? false) && (linux?.mountExtensions?.idmap?.enabled ?? false),
  };
}
