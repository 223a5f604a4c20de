import type { MessageInitShape } from '@bufbuild/protobuf';
import type { criPod } from '../../api/cri/index.ts';
import { type Engine, engineName } from '../engine/engine.ts';
import { matchesSelector } from '../engine/labels.ts';
import type { PauseImage } from '../images/pause-image.ts';
import type { LogFollowers } from '../logs/followers.ts';
import { refuse } from '../refuse.ts';
import { sandboxBody } from './create-body.ts';
import { sandboxItem, sandboxStatus } from './messages.ts';

export interface SandboxesOptions {
  readonly engine: Engine;
  readonly pauseImage: PauseImage;
  readonly network: string;
  readonly logs: LogFollowers;
}

/** A pod is a container that does nothing, and those that share its namespaces. */
export class Sandboxes {
  readonly #options: SandboxesOptions;

  constructor(options: SandboxesOptions) {
    this.#options = options;
  }

  async run(config: criPod.PodSandboxConfig | undefined, runtimeHandler: string): Promise<string> {
    if (config?.metadata === undefined || config.metadata.name === '' || config.metadata.uid === '' || config.metadata.namespace === '')
      throw refuse('InvalidArgument', 'a pod needs metadata with a name, a namespace and a uid');
    const { engine, network } = this.#options;
    const { name, namespace, uid, attempt } = config.metadata;
    const pauseImage = await this.#options.pauseImage.ensure();
    const id = await engine.create(engineName('POD', name, namespace, uid, attempt), await sandboxBody(config, runtimeHandler, { pauseImage, network }));
    try {
      await engine.start(id);
    } catch (error) {
      await engine.remove(id).catch(() => undefined);
      throw error;
    }
    return id;
  }

  /** Its containers first. One that is gone is stopped. */
  async stop(id: string): Promise<void> {
    const { engine } = this.#options;
    if ((await engine.find(id, 'podsandbox')) === undefined) return;
    await Promise.all((await engine.list('container', { sandboxId: id })).map(async ({ Id }) => await engine.stop(Id, 0)));
    await engine.stop(id, 0);
  }

  async remove(id: string): Promise<void> {
    const { engine, logs } = this.#options;
    if ((await engine.find(id, 'podsandbox')) === undefined) return;
    await Promise.all(
      (await engine.list('container', { sandboxId: id })).map(async ({ Id }) => {
        await engine.remove(Id);
        logs.forget(Id);
      }),
    );
    await engine.remove(id);
  }

  async status(id: string): Promise<MessageInitShape<typeof criPod.PodSandboxStatusSchema>> {
    return sandboxStatus(await this.#options.engine.inspect(id, 'podsandbox'));
  }

  async list(filter: criPod.PodSandboxFilter | undefined): Promise<readonly MessageInitShape<typeof criPod.PodSandboxSchema>[]> {
    const all = (await this.#options.engine.list('podsandbox')).map(sandboxItem);
    return all.filter(
      ({ id = '', state, labels = {} }) =>
        id.startsWith(filter?.id ?? '') &&
        (filter?.state === undefined || filter.state.state === state) &&
        matchesSelector(labels as Readonly<Record<string, string>>, filter?.labelSelector ?? {}),
    );
  }
}
