/**
 * The OCI runtime configuration (runtime-spec 1.3: config.md, config-linux.md, runtime.md, features-linux.md) as JSON has it.
 * Limits that are int64 or uint64 in the specification may exceed 2^53: they are `number | bigint`.
 */

/** An int64 or uint64 of the specification. */
export type Int64 = number | bigint;

export interface RuntimeSpec {
  readonly ociVersion: string;
  readonly process?: ProcessSpec;
  readonly root?: RootSpec;
  readonly hostname?: string;
  readonly domainname?: string;
  readonly mounts?: readonly Mount[];
  readonly hooks?: Hooks;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly linux?: LinuxSpec;
}

export interface RootSpec {
  readonly path: string;
  readonly readonly?: boolean;
}

export interface ProcessSpec {
  readonly terminal?: boolean;
  readonly consoleSize?: { readonly height: number; readonly width: number };
  readonly user?: UserSpec;
  readonly args?: readonly string[];
  readonly env?: readonly string[];
  /** absolute, inside the container */
  readonly cwd: string;
  readonly capabilities?: CapabilitiesSpec;
  readonly rlimits?: readonly Rlimit[];
  readonly noNewPrivileges?: boolean;
  readonly apparmorProfile?: string;
  readonly oomScoreAdj?: number;
  readonly scheduler?: SchedulerSpec;
  readonly selinuxLabel?: string;
  readonly ioPriority?: { readonly class: 'IOPRIO_CLASS_RT' | 'IOPRIO_CLASS_BE' | 'IOPRIO_CLASS_IDLE'; readonly priority?: number };
  /** CPU lists such as `0-3,7` */
  readonly execCPUAffinity?: { readonly initial?: string; readonly final?: string };
}

export interface UserSpec {
  readonly uid: number;
  readonly gid: number;
  readonly umask?: number;
  readonly additionalGids?: readonly number[];
  readonly username?: string;
}

/** Names such as `CAP_CHOWN`. */
export interface CapabilitiesSpec {
  readonly bounding?: readonly string[];
  readonly effective?: readonly string[];
  readonly inheritable?: readonly string[];
  readonly permitted?: readonly string[];
  readonly ambient?: readonly string[];
}

export interface Rlimit {
  /** `RLIMIT_NOFILE` */
  readonly type: string;
  readonly hard: Int64;
  readonly soft: Int64;
}

export interface SchedulerSpec {
  /** `SCHED_OTHER`, … */
  readonly policy: string;
  readonly nice?: number;
  readonly priority?: number;
  /** `SCHED_FLAG_RESET_ON_FORK`, … */
  readonly flags?: readonly string[];
  /** ns */
  readonly runtime?: Int64;
  readonly deadline?: Int64;
  readonly period?: Int64;
}

export interface Mount {
  readonly destination: string;
  readonly type?: string;
  readonly source?: string;
  readonly options?: readonly string[];
  readonly uidMappings?: readonly IdMapping[];
  readonly gidMappings?: readonly IdMapping[];
}

export interface Hooks {
  readonly prestart?: readonly Hook[];
  readonly createRuntime?: readonly Hook[];
  readonly createContainer?: readonly Hook[];
  readonly startContainer?: readonly Hook[];
  readonly poststart?: readonly Hook[];
  readonly poststop?: readonly Hook[];
}

export interface Hook {
  readonly path: string;
  readonly args?: readonly string[];
  readonly env?: readonly string[];
  /** seconds */
  readonly timeout?: number;
}

export interface LinuxSpec {
  readonly uidMappings?: readonly IdMapping[];
  readonly gidMappings?: readonly IdMapping[];
  readonly sysctl?: Readonly<Record<string, string>>;
  readonly resources?: ResourcesSpec;
  readonly cgroupsPath?: string;
  readonly namespaces?: readonly Namespace[];
  readonly devices?: readonly Device[];
  readonly netDevices?: Readonly<Record<string, { readonly name?: string }>>;
  readonly seccomp?: LinuxSeccomp;
  readonly rootfsPropagation?: string;
  readonly maskedPaths?: readonly string[];
  readonly readonlyPaths?: readonly string[];
  readonly mountLabel?: string;
  readonly intelRdt?: IntelRdt;
  readonly memoryPolicy?: { readonly mode?: string; readonly nodes?: string; readonly flags?: readonly string[] };
  readonly personality?: { readonly domain: string; readonly flags?: readonly string[] };
  /** keys `boottime` and `monotonic` */
  readonly timeOffsets?: Readonly<Record<string, { readonly secs?: Int64; readonly nanosecs?: number }>>;
}

export interface IdMapping {
  readonly containerID: number;
  readonly hostID: number;
  readonly size: number;
}

export type NamespaceType = 'pid' | 'network' | 'mount' | 'ipc' | 'uts' | 'user' | 'cgroup' | 'time';

export interface Namespace {
  readonly type: NamespaceType;
  /** join this one instead of making a new one */
  readonly path?: string;
}

export interface Device {
  readonly path: string;
  /** `c`, `b`, `u` (as c) or `p` */
  readonly type: string;
  readonly major?: number;
  readonly minor?: number;
  readonly fileMode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

export interface IntelRdt {
  readonly closID?: string;
  readonly schemata?: readonly string[];
  readonly l3CacheSchema?: string;
  readonly memBwSchema?: string;
  readonly enableMonitoring?: boolean;
}

export interface ResourcesSpec {
  readonly devices?: readonly DeviceRule[];
  readonly memory?: MemoryResources;
  readonly cpu?: CpuResources;
  readonly pids?: { readonly limit?: Int64 };
  readonly blockIO?: BlockIoResources;
  readonly hugepageLimits?: readonly { readonly pageSize: string; readonly limit: Int64 }[];
  readonly network?: { readonly classID?: number; readonly priorities?: readonly { readonly name: string; readonly priority: number }[] };
  readonly rdma?: Readonly<Record<string, { readonly hcaHandles?: number; readonly hcaObjects?: number }>>;
  /** cgroup v2 file name → content */
  readonly unified?: Readonly<Record<string, string>>;
}

export interface DeviceRule {
  readonly allow: boolean;
  /** `a` (all), `c` or `b`; absent: a */
  readonly type?: string;
  /** absent or -1: every number */
  readonly major?: number;
  readonly minor?: number;
  /** of `rwm` */
  readonly access?: string;
}

/** Bytes; -1: unlimited. */
export interface MemoryResources {
  readonly limit?: Int64;
  readonly reservation?: Int64;
  /** memory plus swap, as cgroup v1 counts it */
  readonly swap?: Int64;
  readonly kernel?: Int64;
  readonly kernelTCP?: Int64;
  readonly swappiness?: Int64;
  readonly disableOOMKiller?: boolean;
  readonly useHierarchy?: boolean;
  readonly checkBeforeUpdate?: boolean;
}

/** Times in µs. */
export interface CpuResources {
  readonly shares?: Int64;
  readonly quota?: Int64;
  readonly burst?: Int64;
  readonly period?: Int64;
  readonly realtimeRuntime?: Int64;
  readonly realtimePeriod?: Int64;
  readonly cpus?: string;
  readonly mems?: string;
  readonly idle?: Int64;
}

export interface BlockIoResources {
  readonly weight?: number;
  readonly leafWeight?: number;
  readonly weightDevice?: readonly { readonly major: number; readonly minor: number; readonly weight?: number; readonly leafWeight?: number }[];
  readonly throttleReadBpsDevice?: readonly ThrottleDevice[];
  readonly throttleWriteBpsDevice?: readonly ThrottleDevice[];
  readonly throttleReadIOPSDevice?: readonly ThrottleDevice[];
  readonly throttleWriteIOPSDevice?: readonly ThrottleDevice[];
}

export interface ThrottleDevice {
  readonly major: number;
  readonly minor: number;
  readonly rate: Int64;
}

export interface LinuxSeccomp {
  /** `SCMP_ACT_ERRNO`, … */
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number;
  /** `SCMP_ARCH_X86_64`, … */
  readonly architectures?: readonly string[];
  /** `SECCOMP_FILTER_FLAG_LOG`, … */
  readonly flags?: readonly string[];
  readonly listenerPath?: string;
  readonly listenerMetadata?: string;
  readonly syscalls?: readonly SeccompSyscall[];
}

export interface SeccompSyscall {
  readonly names: readonly string[];
  readonly action: string;
  readonly errnoRet?: number;
  readonly args?: readonly SeccompArg[];
}

export interface SeccompArg {
  readonly index: number;
  readonly value: Int64;
  readonly valueTwo?: Int64;
  /** `SCMP_CMP_EQ`, … */
  readonly op: string;
}

export type ContainerStatus = 'creating' | 'created' | 'running' | 'stopped' | 'paused';

/** What `state` prints and hooks read (runtime.md, "State"); `paused` and the fields after `annotations` are runc's. */
export interface State {
  readonly ociVersion: string;
  readonly id: string;
  readonly status: ContainerStatus;
  /** 0 when stopped */
  readonly pid?: number;
  readonly bundle: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** What the runtime can do (features.md, features-linux.md). */
export interface Features {
  readonly ociVersionMin: string;
  readonly ociVersionMax: string;
  readonly hooks?: readonly string[];
  readonly mountOptions?: readonly string[];
  readonly linux?: {
    readonly namespaces?: readonly string[];
    readonly capabilities?: readonly string[];
    readonly cgroup?: {
      readonly v1?: boolean;
      readonly v2?: boolean;
      readonly systemd?: boolean;
      readonly systemdUser?: boolean;
      readonly rdma?: boolean;
    };
    readonly seccomp?: {
      readonly enabled?: boolean;
      readonly actions?: readonly string[];
      readonly operators?: readonly string[];
      readonly archs?: readonly string[];
      readonly knownFlags?: readonly string[];
      readonly supportedFlags?: readonly string[];
    };
    readonly apparmor?: { readonly enabled?: boolean };
    readonly selinux?: { readonly enabled?: boolean };
    readonly intelRdt?: { readonly enabled?: boolean; readonly schemata?: boolean; readonly monitoring?: boolean };
    readonly mountExtensions?: { readonly idmap?: { readonly enabled?: boolean } };
    readonly netDevices?: { readonly enabled?: boolean };
    readonly memoryPolicy?: { readonly modes?: readonly string[]; readonly flags?: readonly string[] };
  };
  readonly annotations?: Readonly<Record<string, string>>;
  readonly potentiallyUnsafeConfigAnnotations?: readonly string[];
}
