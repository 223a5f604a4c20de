export type {
  AttachFlags,
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
export { errnoName, errnoText, FileSession, MonitorAttachment, programFailure, TaskConnection, ZygoteLauncher } from './launch/index.ts';
export type { EncodeOptions, Op, OpDescription, OpFieldType } from './program/index.ts';
export { encodeOperations, encodeProgram, formatOp, formatProgram, noSlot, opsHash, opTable, programLimits } from './program/index.ts';
