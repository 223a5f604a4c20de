export { LocalTaskManager, type LocalTaskManagerOptions } from './local/manager.ts';
export { LocalRootFiles, type LocalRootFilesOptions } from './local/root-files.ts';
export type { OpenRootOptions, RootBind, RootFiles, RootSource, RootTree } from './root-files.ts';
export type {
  Attachment,
  AttachOptions,
  CreateTask,
  ExitStatus,
  LogOptions,
  Process,
  ProcessState,
  StdioOptions,
  Task,
  TaskManager,
  TaskNetwork,
  TaskStats,
} from './tasks.ts';
