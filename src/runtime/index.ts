export { compileCreate } from './compile/create.ts';
export { compileExec } from './compile/exec.ts';
export { capabilityNames } from './compile/linux-numbers.ts';
export { hasIdMap, mappedMountOps } from './compile/mapped-mount.ts';
export type {
  CgroupPlan,
  CgroupV1Directory,
  CreateOptions,
  ExecOptions,
  IdMap,
  Machine,
  NetworkOps,
  OutputRoute,
  RootfsMount,
  StartMode,
  Stdio,
  StdioRoutes,
} from './compile/options.ts';
export { monitorOps } from './compile/stdio.ts';
export { defaultMaskedPaths, defaultReadonlyPaths, defaultSpec, ociVersion } from './default-spec.ts';
export { withDefaultDeviceRules } from './device-rules.ts';
export { features } from './features.ts';
export { dumpOperation } from './lifecycle/checkpoint.ts';
export { parseSignal } from './lifecycle/kill.ts';
export { restoreOperations, withAbsoluteSources } from './lifecycle/restore.ts';
export { readMachine } from './machine.ts';
export { rootfsParentMount } from './parent-mount.ts';
export { rootlessSpec } from './rootless-spec.ts';
export type { ProcessIdentity } from './state/process-identity.ts';
export { isAlive, processState } from './state/process-identity.ts';
