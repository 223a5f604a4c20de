import type { Logger } from '../../base/index.ts';
import { strakeVersion } from '../../cli/version-number.ts';
import type { Core } from '../../core/index.ts';
import { ShimSandboxes, ShimTaskManager } from '../../core/tasks/index.ts';
import type { Launcher } from '../../kernel/index.ts';
import { TtrpcServer } from '../../rpc/ttrpc/index.ts';

interface ShimsPlace {
  readonly state: string;
  /** Of the gRPC socket. */
  readonly address: string;
  readonly launcher: Launcher;
  readonly core: Pick<Core, 'exchange'>;
  readonly log: Logger;
}

export interface OpenedShims {
  readonly tasks: ShimTaskManager;
  readonly sandboxes: ShimSandboxes;
}

/** Shims, those of the daemon before among them, and the socket at which they tell what happens: containerd's, with `.ttrpc` behind its name. */
export async function openShims({ state, address, launcher, core, log }: ShimsPlace, cleanup: AsyncDisposableStack): Promise<OpenedShims> {
  const ttrpcAddress = `${address}.ttrpc`;
  const caller = { address, ttrpcAddress, version: strakeVersion, binary: process.execPath };
  const place = { stateDirectory: state, caller, launcher, log };
  const sandboxes = new ShimSandboxes(place);
  const tasks = new ShimTaskManager({ ...place, events: core.exchange, sandboxEndpoint: (namespace, id) => sandboxes.endpointOf(namespace, id) });
  cleanup.defer(() => {
    tasks.close();
    sandboxes.close();
  });
  const events = cleanup.use(new TtrpcServer({ services: [tasks.forwarding], log }));
  await events.listen(ttrpcAddress);
  await sandboxes.recover();
  await tasks.recover();
  return { tasks, sandboxes };
}
