export type {
  CgroupDirectories,
  CgroupLayout,
  CgroupPlan,
  CgroupStats,
  DeviceException,
  DevicePolicy,
  InheritedCpuset,
  LiveLimits,
  PlanCgroupOptions,
  V1Directory,
  V1Hierarchy,
  V2Tree,
} from './cgroup/index.ts';
export {
  cgroupDirectories,
  cgroupPids,
  compileDeviceProgram,
  detectCgroupLayout,
  devicePolicy,
  freezeOperations,
  initAttachOperations,
  oomFile,
  planCgroup,
  readCgroupLayout,
  readCgroupStats,
  readFreezer,
  readInheritedCpuset,
  readLiveLimits,
  updateOperations,
} from './cgroup/index.ts';
export type {
  AttachFlags,
  DirectOptions,
  DirectoryEntry,
  ExitRecord,
  FileOp,
  FileStat,
  Launched,
  Launcher,
  LaunchOptions,
  OutputFrame,
  Report,
  ZygoteOptions,
} from './launch/index.ts';
export {
  DirectLauncher,
  decodeExit,
  decodeReport,
  encodeFrame,
  errnoName,
  errnoText,
  FileSession,
  FrameParser,
  frameTypes,
  MonitorAttachment,
  programFailure,
  TaskConnection,
  ZygoteLauncher,
} from './launch/index.ts';
export type { EncodeOptions, Op, OpDescription, OpFieldType } from './program/index.ts';
export { encodeOperations, encodeProgram, formatOp, formatProgram, noSlot, opsHash, opTable, programLimits } from './program/index.ts';
export type { CompileSeccompOptions, SeccompArch, SeccompFilter } from './seccomp/index.ts';
export { compileSeccomp, seccompActions, seccompFlags, seccompOperators } from './seccomp/index.ts';
