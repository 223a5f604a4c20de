/** The daemon's composition root: which implementation stands behind each interface. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { errorMessage, type Logger, StrakeError } from '../../base/index.ts';
import { createHostMounts, createOpenFileTree } from '../../core/index.ts';
import { LocalRootFiles } from '../../core/tasks/index.ts';
import { createPuller, createPusher, createRemoteInspector, createSearch, Proxies, proxiesOfEnvironment } from '../../distribution/index.ts';
import { assembleEngine, createContainersPart } from '../../engine/index.ts';
import { containerRoutes } from '../../engine/router/containers/index.ts';
import { execRoutes } from '../../engine/router/exec/index.ts';
import { programFile, readCgroupLayout, ZygoteLauncher } from '../../kernel/index.ts';
import { BridgeNetworks, fileNetworkStore } from '../../network/index.ts';
import { readMachine } from '../../runtime/index.ts';
import { composeCore } from './compose-core.ts';
import type { DaemonFlags } from './flags.ts';
import { registryLogin } from './registry-login.ts';
import type { ComposedEngine } from './run-daemon.ts';
import { availableCapabilities, securityDefaults } from './security-defaults.ts';

export async function composeEngine(productVersion: string, flags: DaemonFlags, log: Logger): Promise<ComposedEngine> {
  const { dataRoot, execRoot } = flags;
  const zygoteDirectory = path.join(execRoot, 'zygote');
  mkdirSync(zygoteDirectory, { recursive: true, mode: 0o700 });
  await using cleanup = new AsyncDisposableStack();
  const launcher = cleanup.use(new ZygoteLauncher({ initPath: programFile('strake-init'), socketPath: path.join(zygoteDirectory, 'zygote.sock') }));
  const openFileTree = createOpenFileTree(launcher);
  const machine = readMachine();
  const layout = readCgroupLayout();
  const { core, local, tasks, runtimes } = await composeCore({ flags, launcher, openFileTree, machine, layout, log, cleanup });
  const rootFiles = new LocalRootFiles({ launcher, mountpoint: path.join(execRoot, 'rootfs') });
  const networks = new BridgeNetworks({
    store: fileNetworkStore({ networks: path.join(dataRoot, 'networks.json'), endpoints: path.join(execRoot, 'endpoints.json') }),
    hostPortDirectory: path.join(execRoot, 'host-ports'),
    runProgram: async (operations) => await launcher.run(operations),
    onWarning: (message, error) => log.warn(message, { error: errorMessage(error) }),
    bridge: flags.bridge,
    subnet: flags.bip,
  });
  await networks.start();
  const hostMounts = createHostMounts(launcher);
  const proxies = { ...proxiesOfEnvironment(process.env), ...flags.proxies };
  const registries = { ...flags.registries, proxies: new Proxies(proxies) };
  const engine = await assembleEngine(
    {
      paths: { dataRoot, execRoot, helloProgram: programFile('strake-hello') },
      core: { ...core, tasks, rootFiles, hostMounts },
      registry: {
        pull: createPuller({ ...core, ...registries }),
        push: createPusher({ ...core, ...registries, uploads: flags.transfers.uploads }),
        inspect: createRemoteInspector(registries),
        search: createSearch(registries),
        login: registryLogin(registries),
      },
      networks,
      runtimes,
      log,
      productVersion,
      debug: flags.debug,
      labels: flags.labels,
      insecureRegistries: flags.registries.insecureRegistries,
      registryMirrors: flags.registries.mirrors,
      proxies,
    },
    async ({ events, images, volumes, networks: containerNetworks }) =>
      await createContainersPart(
        {
          store: core.containers,
          snapshots: core.snapshots,
          comparer: core.comparer,
          tasks,
          runtimes,
          rootFiles,
          images,
          networks: containerNetworks,
          volumes,
          events,
          security: securityDefaults(machine),
          hostMounts,
          directory: path.join(dataRoot, 'containers'),
          imageMountDirectory: path.join(execRoot, 'image-mounts'),
          cgroupParent: '/strake',
          cgroupVersion: layout.kind === 'v2' ? '2' : '1',
          availableCapabilities: availableCapabilities(machine),
          log,
        },
        (containers) => [...containerRoutes(containers), ...execRoutes(containers)],
      ),
  );
  const kept = cleanup.move();
  return {
    engine,
    // Whoever does not ask for it does not pay for loading it.
    async openContainerd(...place) {
      if (local === undefined) throw new StrakeError('FailedPrecondition', 'there is nothing to serve: what there is is at another containerd');
      return await (await import('./serve-containerd.ts')).serveContainerd({ core: local, launcher, openFileTree, flags, log }, ...place);
    },
    [Symbol.asyncDispose]: async () => await kept.disposeAsync(),
  };
}
