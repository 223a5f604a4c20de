import { errorMessage, type Logger } from '../base/index.ts';
import { AccountReader } from '../core/index.ts';
import type { EngineClient } from '../docker-client/index.ts';
import type { GrpcService } from '../rpc/grpc/index.ts';
import { startStreamingServer } from '../streaming/index.ts';
import { Containers } from './containers/containers.ts';
import { logPathOf } from './containers/messages.ts';
import { Engine } from './engine/engine.ts';
import { containerConfigOf, sandboxIdLabel } from './engine/labels.ts';
import { Figures } from './figures/stats.ts';
import { ImageFiles } from './images/image-files.ts';
import { imageService } from './images/images.ts';
import { PauseImage, type PauseImageOptions } from './images/pause-image.ts';
import { pullImage } from './images/pull.ts';
import { LogFollowers } from './logs/followers.ts';
import { type DialPort, engineBackend } from './processes/streams.ts';
import { runtimeService } from './runtime-service.ts';
import { Sandboxes } from './sandboxes/sandboxes.ts';

export interface DockershimOptions {
  readonly client: EngineClient;
  /** The engine's network that pods are on. */
  readonly network: string;
  readonly pauseImage: Pick<PauseImageOptions, 'name' | 'archive' | 'version'>;
  readonly dialPort: DialPort;
  /** Where exec, attach and port-forward are served: loopback, any port, when absent. */
  readonly streaming?: { readonly address: string; readonly port: number };
  readonly log: Logger;
}

export interface Dockershim extends AsyncDisposable {
  readonly services: readonly GrpcService[];
}

/** The container runtime interface over the Engine API. It keeps no state: what it knows stands in the labels of the engine's containers. */
export async function startDockershim({ client, network, pauseImage, dialPort, streaming, log }: DockershimOptions): Promise<Dockershim> {
  const engine = new Engine(client);
  const pause = new PauseImage({ client, ...pauseImage, pull: async (name) => await pullImage(client, name, undefined, AbortSignal.timeout(600_000)) });
  const logs = new LogFollowers(client, log);
  const sandboxes = new Sandboxes({ engine, pauseImage: pause, network, logs });
  const files = new ImageFiles(engine);
  const containers = new Containers({ engine, logs, accounts: new AccountReader(files) });
  const streams = await startStreamingServer({ backend: engineBackend(engine, dialPort), log, ...streaming });
  await files.clean().catch((error: unknown) => log.warn('containers of an earlier shim are left', { error: errorMessage(error) }));
  await followAll(engine, logs).catch((error: unknown) => log.warn('logs of containers are not followed yet', { error: errorMessage(error) }));
  return {
    services: [runtimeService({ engine, sandboxes, containers, figures: new Figures(engine), streams }), imageService(client, () => pause.name)],
    async [Symbol.asyncDispose]() {
      await streams.close();
      await logs[Symbol.asyncDispose]();
    },
  };
}

/** Logs go on where they ended when the shim did, also those of containers that have ended meanwhile. */
async function followAll(engine: Engine, logs: LogFollowers): Promise<void> {
  const [containers, sandboxes] = await Promise.all([engine.list('container'), engine.list('podsandbox')]);
  const sandboxLabels = new Map(sandboxes.map(({ Id, Labels }) => [Id, Labels]));
  for (const { Id, State, Labels } of containers) {
    const ofSandbox = sandboxLabels.get(Labels[sandboxIdLabel] ?? '');
    if (State !== 'created' && ofSandbox !== undefined) logs.follow({ id: Id, path: logPathOf(Labels, ofSandbox), terminal: containerConfigOf(Labels).tty });
  }
}
