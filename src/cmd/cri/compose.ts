/** The composition root of `strake cri`: which implementation stands behind each interface. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Logger } from '../../base/index.ts';
import { strakeVersion } from '../../cli/version-number.ts';
import { createHostMounts, createLocalNamespaceKeeper, createOpenFileTree } from '../../core/index.ts';
import { createCgroupReader, LocalRootFiles } from '../../core/tasks/index.ts';
import { assembleCri } from '../../cri/index.ts';
import { createPuller, Proxies, proxiesOfEnvironment } from '../../distribution/index.ts';
import { programFile, readCgroupLayout, ZygoteLauncher } from '../../kernel/index.ts';
import { createPortDialer, readInterfaceCounters } from '../../network/index.ts';
import type { GrpcService } from '../../rpc/grpc/index.ts';
import { readMachine } from '../../runtime/index.ts';
import { availableCapabilities, securityDefaults } from '../daemon/security-defaults.ts';
import type { CriSettings } from './flags.ts';
import { runtimeHandlers } from './handlers.ts';
import { lowestOomScoreAdj } from './lowest-oom-score.ts';
import { execRootOf, openParts } from './parts.ts';
import { composePodNetwork } from './pod-network.ts';

export interface ComposedCri extends AsyncDisposable {
  readonly services: readonly GrpcService[];
}

export async function composeCri(settings: CriSettings, log: Logger): Promise<ComposedCri> {
  const { root, state } = settings;
  const zygoteDirectory = path.join(state, 'zygote');
  const execRoot = execRootOf(state);
  mkdirSync(zygoteDirectory, { recursive: true, mode: 0o700 });
  // Processes of user namespaces reach their root through it.
  mkdirSync(execRoot, { recursive: true, mode: 0o711 });
  await using cleanup = new AsyncDisposableStack();
  const launcher = cleanup.use(new ZygoteLauncher({ initPath: programFile('strake-init'), socketPath: path.join(zygoteDirectory, 'zygote.sock') }));
  const machine = readMachine();
  const layout = readCgroupLayout();
  const { stores, tasks, comparer, askShim, recovered } = await openParts({ settings, execRoot, launcher, machine, layout, log, cleanup });
  const network = await composePodNetwork({ settings, launcher, log });
  cleanup.defer(async () => await network.close());
  const proxies = new Proxies(proxiesOfEnvironment(process.env));
  const { services, ...cri } = await assembleCri({
    stores,
    pull: createPuller({ ...stores, configDirectories: settings.registryConfig, insecureRegistries: settings.insecureRegistries, proxies }),
    tasks,
    rootFiles: new LocalRootFiles({ launcher, mountpoint: path.join(execRoot, 'rootfs') }),
    hostMounts: createHostMounts(launcher),
    openFileTree: createOpenFileTree(launcher),
    comparer,
    namespaces: createLocalNamespaceKeeper(launcher),
    network,
    ports: createPortDialer(launcher),
    readCgroup: createCgroupReader(),
    readInterfaces: readInterfaceCounters,
    handlers: runtimeHandlers(settings),
    askShim,
    security: { ...securityDefaults(machine), availableCapabilities: availableCapabilities(machine), lowestOomScoreAdj: lowestOomScoreAdj(machine) },
    cgroups: { version: layout.kind === 'v2' ? 2 : 1, driver: settings.cgroupDriver },
    paths: { root: path.join(root, 'cri'), state: path.join(state, 'cri') },
    pauseProgram: programFile('strake-init'),
    pinned: settings.pinned,
    streams: settings.streams,
    version: strakeVersion,
    log,
  });
  cleanup.defer(async () => await cri.close());
  await recovered();
  const kept = cleanup.move();
  return { services, [Symbol.asyncDispose]: async () => await kept.disposeAsync() };
}
