/** The composition root of `strake containerd`: which implementation stands behind each interface. */
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { Logger } from '../../base/index.ts';
import { strakeCommit, strakeVersion } from '../../cli/version-number.ts';
import { containerdServices, InProcessTasks, TaskHosts } from '../../containerd/index.ts';
import { createOpenFileTree, openLocalCore } from '../../core/index.ts';
import { Proxies, proxiesOfEnvironment } from '../../distribution/index.ts';
import { programFile, ZygoteLauncher } from '../../kernel/index.ts';
import type { GrpcService } from '../../rpc/grpc/index.ts';
import type { ContainerdSettings } from './flags.ts';
import { openShims } from './shims.ts';

export interface ComposedContainerd extends AsyncDisposable {
  readonly services: readonly GrpcService[];
}

export async function composeContainerd({ root, state, address, config }: ContainerdSettings, log: Logger): Promise<ComposedContainerd> {
  const zygoteDirectory = path.join(state, 'zygote');
  mkdirSync(zygoteDirectory, { recursive: true, mode: 0o700 });
  await using cleanup = new AsyncDisposableStack();
  const launcher = cleanup.use(new ZygoteLauncher({ initPath: programFile('strake-init'), socketPath: path.join(zygoteDirectory, 'zygote.sock') }));
  const openFileTree = createOpenFileTree(launcher);
  const { downloads, uploads, registryConfig } = config;
  const core = cleanup.use(openLocalCore({ root, log, openFileTree, layersAtOnce: downloads }));
  const temporary = path.join(state, 'temporary');
  rmSync(temporary, { recursive: true, force: true });
  const inProcess = new InProcessTasks({
    directory: path.join(state, 'namespaces'),
    launcher,
    events: (namespace) => core.inNamespace(namespace).events,
    log,
  });
  await inProcess.recover();
  const shims = await openShims({ state, address, launcher, core, log }, cleanup);
  const services = containerdServices({
    core,
    tasks: new TaskHosts({ inProcess, shims, runtimes: config.runtimes }),
    temporary,
    log,
    root,
    openFileTree,
    version: strakeVersion,
    revision: strakeCommit,
    registry: { configDirectories: registryConfig?.split(':'), proxies: new Proxies(proxiesOfEnvironment(process.env)) },
    downloads,
    uploads,
  });
  const kept = cleanup.move();
  return { services, [Symbol.asyncDispose]: async () => await kept.disposeAsync() };
}
