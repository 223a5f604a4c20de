import { type Logger, untilAborted } from '../../base/index.ts';
import type { EngineClient } from '../../docker-client/index.ts';
import { type FollowedContainer, LogFollower, openLog } from './follower.ts';

/** For the last output of a container that has ended. */
const settleMs = 2_000;

/** The logs of all containers. After a restart each goes on behind what is written, so that nothing is lost or there twice. */
export class LogFollowers implements AsyncDisposable {
  readonly #client: EngineClient;
  readonly #log: Logger;
  readonly #followers = new Map<string, LogFollower>();

  constructor(client: EngineClient, log: Logger) {
    this.#client = client;
    this.#log = log;
  }

  /** The file of a container that is about to start: whoever sees that run finds it. */
  async prepare(path: string): Promise<void> {
    if (path !== '') await (await openLog(path)).close();
  }

  /** An empty path: the kubelet wants none. */
  follow(container: FollowedContainer): void {
    if (container.path === '' || this.#followers.has(container.id)) return;
    this.#followers.set(container.id, new LogFollower(this.#client, container, this.#log));
  }

  /** Resolves once everything that an ended container has said is written, or after two seconds. */
  async settled(id: string): Promise<void> {
    const follower = this.#followers.get(id);
    if (follower !== undefined) await untilAborted(follower.done, AbortSignal.timeout(settleMs)).catch(() => undefined);
  }

  async reopen(id: string): Promise<void> {
    await this.#followers.get(id)?.reopen();
  }

  forget(id: string): void {
    this.#followers.get(id)?.stop();
    this.#followers.delete(id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = [...this.#followers.values()];
    for (const follower of all) follower.stop();
    await Promise.all(all.map(async ({ done }) => await done));
  }
}
