import type { MessageInitShape } from '@bufbuild/protobuf';
import type { criContainer, criLinux, criRuntime } from '../../api/cri/index.ts';
import type { ContainerInspect } from '../../api/docker/index.ts';
import type { AccountReader } from '../../core/index.ts';
import { type Engine, engineName } from '../engine/engine.ts';
import { containerConfigOf, matchesSelector, runtimeHandlerOf, sandboxConfigOf, sandboxIdLabel } from '../engine/labels.ts';
import { engineResources } from '../engine/resources.ts';
import type { LogFollowers } from '../logs/followers.ts';
import { refuse } from '../refuse.ts';
import { containerBody } from './create-body.ts';
import { containerItem, containerStatus, logPathOf } from './messages.ts';
import { resolveImages } from './mounts.ts';
import { engineUser, type ImageUser, statusUser } from './user.ts';

export interface ContainersOptions {
  readonly engine: Engine;
  readonly logs: LogFollowers;
  /** Of images, by their ids. */
  readonly accounts: AccountReader<string>;
}

export class Containers {
  readonly #options: ContainersOptions;

  constructor(options: ContainersOptions) {
    this.#options = options;
  }

  async create({ podSandboxId, config }: criRuntime.CreateContainerRequest): Promise<string> {
    const { engine } = this.#options;
    if (config?.metadata === undefined || config.metadata.name === '') throw refuse('InvalidArgument', 'a container needs metadata with a name');
    const sandbox = await engine.inspect(podSandboxId, 'podsandbox');
    if (!sandbox.State.Running) throw refuse('FailedPrecondition', `the pod ${podSandboxId} does not run`);
    const { metadata, linux } = sandboxConfigOf(sandbox.Config.Labels);
    const name = engineName(config.metadata.name, metadata?.name ?? '', metadata?.namespace ?? '', metadata?.uid ?? '', config.metadata.attempt);
    const runtimeHandler = runtimeHandlerOf(sandbox.Config.Labels);
    const resolved = { ...config, mounts: await resolveImages(engine, config.mounts) };
    const user = await engineUser(config.linux?.securityContext, async () => await this.#imageUser(config.image?.image ?? ''));
    return await engine.create(name, await containerBody(resolved, { sandboxId: sandbox.Id, cgroupParent: linux?.cgroupParent ?? '', runtimeHandler, user }));
  }

  async start(id: string): Promise<void> {
    const { engine, logs } = this.#options;
    const container = await engine.inspect(id, 'container');
    if (container.State.Status !== 'created') throw refuse('FailedPrecondition', `container ${id} is not created, but ${container.State.Status}`);
    const sandbox = await engine.inspect(container.Config.Labels[sandboxIdLabel] ?? '', 'podsandbox');
    const path = logPathOf(container.Config.Labels, sandbox.Config.Labels);
    await logs.prepare(path);
    await engine.start(id);
    logs.follow({ id: container.Id, path, terminal: container.Config.Tty });
  }

  async stop(id: string, timeoutSeconds: number): Promise<void> {
    const { engine } = this.#options;
    if ((await engine.find(id, 'container')) !== undefined) await engine.stop(id, timeoutSeconds);
  }

  async remove(id: string): Promise<void> {
    const { engine, logs } = this.#options;
    const container = await engine.find(id, 'container');
    if (container === undefined) return;
    await engine.remove(container.Id);
    logs.forget(container.Id);
  }

  async status(id: string): Promise<MessageInitShape<typeof criContainer.ContainerStatusSchema>> {
    const { engine, logs } = this.#options;
    const container = await engine.inspect(id, 'container');
    // Whoever sees the end of a container finds all of its output in the log.
    if (!container.State.Running) await logs.settled(container.Id);
    const sandbox = await engine.find(container.Config.Labels[sandboxIdLabel] ?? '', 'podsandbox');
    return containerStatus(container, sandbox, await this.#userOf(container).catch(() => undefined));
  }

  async #imageUser(name: string): Promise<ImageUser> {
    const { Id, Config } = await this.#options.engine.image(name);
    return { user: Config.User, accounts: await this.#options.accounts.read(Id, Id) };
  }

  /** Fails where its image is gone, or has no such user. */
  async #userOf({ Image, Config }: ContainerInspect): Promise<ReturnType<typeof statusUser>> {
    const { linux } = containerConfigOf(Config.Labels);
    return statusUser(linux?.securityContext, { user: Config.User, accounts: await this.#options.accounts.read(Image, Image) });
  }

  async list(filter: criContainer.ContainerFilter | undefined): Promise<readonly MessageInitShape<typeof criContainer.ContainerSchema>[]> {
    const all = (await this.#options.engine.list('container')).map(containerItem);
    return all.filter(
      ({ id = '', podSandboxId = '', state, labels = {} }) =>
        id.startsWith(filter?.id ?? '') &&
        podSandboxId.startsWith(filter?.podSandboxId ?? '') &&
        (filter?.state === undefined || filter.state.state === state) &&
        matchesSelector(labels as Readonly<Record<string, string>>, filter?.labelSelector ?? {}),
    );
  }

  async update(id: string, resources: criLinux.LinuxContainerResources | undefined): Promise<void> {
    const { engine } = this.#options;
    const { Id } = await engine.inspect(id, 'container');
    await engine.client.post(`/containers/${Id}/update`, { body: engineResources(resources) });
  }

  async reopenLog(id: string): Promise<void> {
    const { engine, logs } = this.#options;
    const container = await engine.inspect(id, 'container');
    if (!container.State.Running) throw refuse('FailedPrecondition', `container ${id} is not running`);
    await logs.reopen(container.Id);
  }
}
