import type { Logger } from '../../base/index.ts';
import { strakeVersion } from '../../cli/version-number.ts';
import type { Core } from '../../core/index.ts';
import { ShimTaskManager } from '../../core/tasks/index.ts';
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

/** Shims, those of the daemon before among them, and the socket at which they tell what happens: containerd's, with `.ttrpc` behind its name. */
export async function openShims({ state, address, launcher, core, log }: ShimsPlace, cleanup: AsyncDisposableStack): Promise<ShimTaskManager> {
  const ttrpcAddress = `${address}.ttrpc`;
  const caller = { address, ttrpcAddress, version: strakeVersion, binary: process.execPath };
  const shims = new ShimTaskManager({ stateDirectory: state, caller, launcher, events: core.exchange, log });
  cleanup.defer(() => shims.close());
  const events = cleanup.use(new TtrpcServer({ services: [shims.forwarding], log }));
  await events.listen(ttrpcAddress);
  await shims.recover();
  return shims;
}
