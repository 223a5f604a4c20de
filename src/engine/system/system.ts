import os from 'node:os';
import type { ComponentVersion, InfoResponse, VersionResponse } from '../../api/docker/index.ts';
import { type ProxySettings, withoutPassword } from '../../distribution/index.ts';
import type { EngineRuntime, Runtimes } from '../containers/index.ts';
import { maxApiVersion, minApiVersion } from '../server/index.ts';
import { architecture, ipv4Forwarding, openDescriptors, readCgroupFacts, readOsRelease } from './host-facts.ts';

export interface ContainerCounts {
  readonly running: number;
  readonly paused: number;
  readonly stopped: number;
}

export interface SystemOptions {
  readonly engineId: string;
  readonly productVersion: string;
  readonly dataRoot: string;
  readonly storageDriver: string;
  readonly debug: boolean;
  readonly labels: readonly string[];
  readonly insecureRegistries: readonly string[];
  /** URLs of mirrors of the Hub. */
  readonly registryMirrors: readonly string[];
  readonly proxies: ProxySettings;
  readonly runtimes: Runtimes;
  /** Parts beside the Engine, for `version`. */
  readonly components: readonly ComponentVersion[];
  readonly counts: {
    containers(): Promise<ContainerCounts> | ContainerCounts;
    images(): Promise<number>;
    eventListeners(): number;
  };
}

export class System {
  private readonly options: SystemOptions;

  constructor(options: SystemOptions) {
    this.options = options;
  }

  version(): VersionResponse {
    const { productVersion } = this.options;
    const facts = {
      ApiVersion: maxApiVersion,
      MinAPIVersion: minApiVersion,
      GitCommit: '',
      // Clients print this field; there is no Go here, so it names what runs instead.
      GoVersion: process.versions['bun'] === undefined ? `node ${process.versions.node}` : `bun ${process.versions['bun']}`,
      Os: 'linux',
      Arch: architecture().go,
      KernelVersion: os.release(),
      BuildTime: '',
    };
    return {
      Platform: { Name: 'Strake' },
      Components: [{ Name: 'Engine', Version: productVersion, Details: { ...facts, Experimental: 'false' } }, ...this.options.components],
      Version: productVersion,
      ...facts,
    };
  }

  async info(): Promise<InfoResponse> {
    const { engineId, productVersion, dataRoot, storageDriver, debug, labels, counts, proxies, runtimes } = this.options;
    const cgroups = readCgroupFacts();
    const system = readOsRelease();
    const containers = await counts.containers();
    const warnings = [
      ...(cgroups.memory ? [] : ['WARNING: No memory limit support']),
      ...(cgroups.swap ? [] : ['WARNING: No swap limit support']),
      ...(cgroups.cpuQuota ? [] : ['WARNING: No cpu cfs quota support']),
      ...(ipv4Forwarding() ? [] : ['WARNING: IPv4 forwarding is disabled']),
    ];
    return {
      ID: engineId,
      Containers: containers.running + containers.paused + containers.stopped,
      ContainersRunning: containers.running,
      ContainersPaused: containers.paused,
      ContainersStopped: containers.stopped,
      Images: await counts.images(),
      Driver: storageDriver,
      DriverStatus: [],
      Plugins: { Volume: ['local'], Network: ['bridge', 'host', 'null'], Authorization: null, Log: ['json-file', 'none'] },
      MemoryLimit: cgroups.memory,
      SwapLimit: cgroups.swap,
      CpuCfsPeriod: cgroups.cpuQuota,
      CpuCfsQuota: cgroups.cpuQuota,
      CPUShares: cgroups.cpuShares,
      CPUSet: cgroups.cpuset,
      PidsLimit: cgroups.pids,
      IPv4Forwarding: ipv4Forwarding(),
      Debug: debug,
      NFd: openDescriptors(),
      OomKillDisable: cgroups.oomKillDisable,
      NGoroutines: 0,
      SystemTime: new Date().toISOString(),
      LoggingDriver: 'json-file',
      CgroupDriver: 'cgroupfs',
      CgroupVersion: cgroups.version,
      NEventsListener: counts.eventListeners(),
      KernelVersion: os.release(),
      OperatingSystem: system.name,
      OSVersion: system.version,
      OSType: 'linux',
      Architecture: architecture().machine,
      IndexServerAddress: 'https://index.docker.io/v1/',
      RegistryConfig: this.registryConfig(),
      NCPU: os.availableParallelism(),
      MemTotal: os.totalmem(),
      GenericResources: null,
      DockerRootDir: dataRoot,
      HttpProxy: withoutPassword(proxies.http ?? ''),
      HttpsProxy: withoutPassword(proxies.https ?? ''),
      NoProxy: proxies.none ?? '',
      Name: os.hostname(),
      Labels: labels,
      ExperimentalBuild: false,
      ServerVersion: productVersion,
      Runtimes: Object.fromEntries([...runtimes.known].map(([name, runtime]) => [name, described(runtime)])),
      DefaultRuntime: runtimes.default,
      Swarm: { NodeID: '', NodeAddr: '', LocalNodeState: 'inactive', ControlAvailable: false, Error: '', RemoteManagers: null },
      LiveRestoreEnabled: true,
      Isolation: '',
      InitBinary: 'strake-init',
      ContainerdCommit: { ID: '' },
      RuncCommit: { ID: '' },
      InitCommit: { ID: '' },
      SecurityOptions: ['name=seccomp,profile=builtin'],
      CDISpecDirs: [],
      Warnings: warnings.length === 0 ? null : warnings,
    };
  }

  private registryConfig(): InfoResponse['RegistryConfig'] {
    const { insecureRegistries: insecure, registryMirrors: mirrors } = this.options;
    const hosts = insecure.filter((host) => !host.includes('/')).map((host) => [host, { Name: host, Mirrors: [], Secure: false, Official: false }] as const);
    return {
      IndexConfigs: { ...Object.fromEntries(hosts), 'docker.io': { Name: 'docker.io', Mirrors: mirrors, Secure: true, Official: true } },
      InsecureRegistryCIDRs: insecure.filter((host) => host.includes('/')),
      Mirrors: mirrors.length === 0 ? null : mirrors,
    };
  }
}

const ownRuntime = 'io.containerd.strake.v2';

/** As dockerd says it: the path of a command, or containerd's name of what runs containers there. Ours in process goes by the name of its command. */
function described({ binary, choice }: EngineRuntime): { readonly path: string } | { readonly runtimeType: string } {
  if (binary !== undefined) return { path: binary.path };
  return choice.name === ownRuntime ? { path: 'strake-runc' } : { runtimeType: choice.name };
}
