/** The composition root of `strake containerd`: which implementation stands behind each interface. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Logger } from '../../base/index.ts';
import { createOpenFileTree, openLocalCore } from '../../core/index.ts';
import { programFile, ZygoteLauncher } from '../../kernel/index.ts';
import type { GrpcService } from '../../rpc/grpc/index.ts';
import type { ContainerdSettings } from './flags.ts';
import { composeServices } from './services.ts';

export interface ComposedContainerd extends AsyncDisposable {
  readonly services: readonly GrpcService[];
}

export async function composeContainerd({ root, state, address, config }: ContainerdSettings, log: Logger): Promise<ComposedContainerd> {
  const zygoteDirectory = path.join(state, 'zygote');
  mkdirSync(zygoteDirectory, { recursive: true, mode: 0o700 });
  await using cleanup = new AsyncDisposableStack();
  const launcher = cleanup.use(new ZygoteLauncher({ initPath: programFile('strake-init'), socketPath: path.join(zygoteDirectory, 'zygote.sock') }));
  const openFileTree = createOpenFileTree(launcher);
  const core = cleanup.use(openLocalCore({ root, log, openFileTree, layersAtOnce: config.downloads }));
  await core.restore();
  const services = await composeServices({ core, launcher, openFileTree, root, state, address, config, log }, cleanup);
  await core.collectGarbage({ activeSnapshots: true });
  await core.snapshots.cleanup();
  const kept = cleanup.move();
  return { services, [Symbol.asyncDispose]: async () => await kept.disposeAsync() };
}
