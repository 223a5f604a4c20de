export { TasksByHolder } from './by-holder.ts';
export { createCgroupReader, type ReadCgroup } from './cgroup-reader.ts';
export { LocalTaskManager, type LocalTaskManagerOptions } from './local/manager.ts';
export { LocalRootFiles, type LocalRootFilesOptions } from './local/root-files.ts';
export { pauseProcess } from './pause-process.ts';
export type { FileReader, OpenRootOptions, RootBind, RootFiles, RootSource, RootTree } from './root-files.ts';
export { ShimTaskManager } from './shim/manager.ts';
export { ShimSandboxes } from './shim/shim-sandboxes.ts';
export type { CreateShimTask, ShimEndpoint, ShimExit, ShimTask, ShimTasks, TypedOptions } from './shim/shim-tasks.ts';
export { stdioOfUris } from './stdio-uri.ts';
export type {
  Attachment,
  AttachOptions,
  CheckpointOptions,
  CreateTask,
  ExecOptions,
  ExitStatus,
  LogOptions,
  OciRuntimeBinary,
  Process,
  ProcessState,
  StdioOptions,
  Task,
  TaskManager,
  TaskNetwork,
  TaskRootfs,
  TaskStats,
} from './tasks.ts';
