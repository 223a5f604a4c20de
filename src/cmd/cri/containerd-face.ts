/** The stores and tasks of `strake cri` by containerd's API too, for `ctr -n k8s.io` and others that look. */
import path from 'node:path';
import type { Logger } from '../../base/index.ts';
import type { InProcessTasks } from '../../containerd/index.ts';
import { createOpenFileTree, type LocalCore } from '../../core/index.ts';
import type { Launcher } from '../../kernel/index.ts';
import { serveGrpc } from '../../rpc/grpc/index.ts';
import { composeServices, openInProcessTasks } from '../containerd/services.ts';
import type { OpenedShims } from '../containerd/shims.ts';

export interface ContainerdFacePlace {
  readonly core: LocalCore;
  readonly launcher: Launcher;
  readonly root: string;
  readonly state: string;
  readonly log: Logger;
}

export interface ContainerdFace {
  /** Who makes tasks makes them here. */
  readonly inProcess: InProcessTasks;
  /** Listens, for root alone, until it is disposed of. `shims`: those that pods have; of its clients alone when absent. */
  serve(address: string, shims: OpenedShims | undefined): Promise<AsyncDisposable>;
}

export async function openContainerdFace({ core, launcher, root, state, log }: ContainerdFacePlace): Promise<ContainerdFace> {
  const inProcess = await openInProcessTasks({ core, launcher, state, log });
  return {
    inProcess,
    async serve(address, shims) {
      await using cleanup = new AsyncDisposableStack();
      const config = { runtimes: {} };
      const place = {
        core,
        launcher,
        openFileTree: createOpenFileTree(launcher),
        root,
        state: path.join(state, 'containerd'),
        address,
        config,
        log,
        inProcess,
        ...(shims === undefined ? {} : { shims }),
      };
      const services = await composeServices(place, cleanup);
      const server = await serveGrpc({ hosts: [{ kind: 'unix', path: address, groupId: 0 }], services, log });
      cleanup.defer(async () => await server.close());
      log.info(`containerd's API listens on ${address}`);
      return cleanup.move();
    },
  };
}
