export type { Digest, DigestAlgorithm } from './digest.ts';
export { chainIds, Digester, digestOf, isDigest, parseDigest } from './digest.ts';
export type { Descriptor, Healthcheck, ImageConfig, ImageHistory, ImageProcessConfig, Index, Manifest, Platform } from './image-spec.ts';
export { isIndexType, isManifestType, layerCompression, mediaTypes } from './image-spec.ts';
export { formatJson, parseJson } from './json.ts';
export { choosePlatform, formatPlatform, hostPlatform, normalizePlatform, parsePlatform, runnablePlatforms } from './platform.ts';
export type { Reference } from './reference.ts';
export { canonicalName, familiarName, familiarRepository, parseReference, repositoryName, storeName, withDefaultTag } from './reference.ts';
export type {
  BlockIoResources,
  CapabilitiesSpec,
  ContainerStatus,
  CpuResources,
  Device,
  DeviceRule,
  Features,
  Hook,
  Hooks,
  IdMapping,
  Int64,
  IntelRdt,
  LinuxSeccomp,
  LinuxSpec,
  MemoryResources,
  Mount,
  Namespace,
  NamespaceType,
  ProcessSpec,
  ResourcesSpec,
  Rlimit,
  RootSpec,
  RuntimeSpec,
  SchedulerSpec,
  SeccompArg,
  SeccompSyscall,
  State,
  ThrottleDevice,
  UserSpec,
} from './runtime-spec.ts';
export type { ImageDocument } from './validate-image.ts';
export { parseImageConfig, parseImageDocument } from './validate-image.ts';
export { parseMounts, parseProcessSpec, parseResourcesSpec, parseRuntimeSpec, validateRuntimeSpec } from './validate-runtime.ts';
