/** Running containers: the contract that in-process monitors, shims and a remote containerd fulfil alike. */
import type { CgroupStats, Op } from '../../kernel/index.ts';
import type { ProcessSpec, ResourcesSpec, RuntimeSpec } from '../../oci/index.ts';
import type { StdioRoutes } from '../../runtime/index.ts';
import type { RuntimeChoice } from '../containers/containers.ts';
import type { SnapshotMount } from '../snapshots/snapshots.ts';
import type { OomKills } from './oom-kills.ts';

/** `unknown`: the monitor is gone and left no exit record. */
export type ProcessState =
  | { readonly status: 'created'; readonly pid: number }
  | { readonly status: 'running'; readonly pid: number }
  | { readonly status: 'paused'; readonly pid: number }
  | { readonly status: 'stopped'; readonly pid: number; readonly exit: ExitStatus };

export interface ExitStatus {
  /** 0–255; 128 + signal when killed */
  readonly code: number;
  readonly signal: number;
  readonly at: Date;
  readonly oomKilled: boolean;
}

export interface LogOptions {
  readonly path: string;
  readonly driver: 'json-file' | 'cri';
  /** 0: unlimited */
  readonly maxSizeBytes: number;
  readonly maxFiles: number;
}

export interface StdioOptions {
  readonly terminal: boolean;
  readonly openStdin: boolean;
  readonly stdinOnce: boolean;
  readonly consoleSize?: { readonly rows: number; readonly cols: number };
  readonly log?: LogOptions;
  /** Where else the streams lead. */
  readonly routes?: StdioRoutes;
}

/** What the network layer wants done at the right moments of a launch; see network/. Host operations, encoded by kernel/. */
export interface TaskNetwork {
  readonly hostOperations: readonly Op[];
  readonly initOperations: readonly Op[];
  readonly cleanupOperations: readonly Op[];
}

/** Another OCI runtime's command, which makes the container instead of ours. */
export interface OciRuntimeBinary {
  /** absolute */
  readonly path: string;
  /** where it keeps its state: its option `--root` */
  readonly root: string;
  readonly systemdCgroup?: boolean;
  readonly noPivot?: boolean;
  readonly noNewKeyring?: boolean;
}

/** `directory`: what the caller has mounted already. */
export type TaskRootfs = SnapshotMount | { readonly type: 'directory'; readonly path: string };

export interface CreateTask {
  readonly id: string;
  readonly spec: RuntimeSpec;
  readonly rootfs: TaskRootfs;
  /** What relative sources of mounts are relative to, and where another runtime finds config.json. The task directory when absent. */
  readonly bundle?: string;
  /** Ours, in process, when absent. */
  readonly runtime?: OciRuntimeBinary;
  /** A shim of containerd's interface that makes and holds it, instead of this process; what that does without `runtime` is its own. */
  readonly shim?: RuntimeChoice;
  /** The processes of an image that `checkpoint` wrote are made again, by the start, in place of a new one. */
  readonly restore?: { readonly imagePath: string };
  /** What is written to the root filesystem need not survive a crash of the machine: its end waits for no disk. */
  readonly volatileRoot?: boolean;
  readonly stdio: StdioOptions;
  readonly network?: TaskNetwork;
  /** docker --init: pid 1 is a small reaper and the process its child. */
  readonly reaper?: boolean;
  /** Empty host directories that are bound into the container and get what the root filesystem has there first: sources of mounts of `spec`. */
  readonly copyUp?: readonly string[];
  /** Any JSON: kept beside the task, so that who made it knows it again when its own records are lost. */
  readonly note?: unknown;
  /** `start` is asked for next, by whoever creates it, and nothing is to be done before: a manager may let the process go on as soon as it is there. */
  readonly startsAtOnce?: boolean;
  readonly signal?: AbortSignal;
}

/** One attached client. Output is Docker's multiplexed stream (terminal: every frame is stdout). */
export interface Attachment {
  /** Frames of `stream` and bytes until the process ends or `close`. */
  readonly output: AsyncIterable<{ readonly stream: 'stdout' | 'stderr'; readonly data: Uint8Array }>;
  writeStdin(data: Uint8Array): Promise<void>;
  closeStdin(): Promise<void>;
  close(): void;
}

export interface AttachOptions {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
}

export interface Process {
  readonly id: string;
  /** As it was given to `create` or `exec`. */
  readonly note: unknown;
  state(): ProcessState;
  /** FailedPrecondition unless created. A failing execve is an error with runc's words in its message. */
  start(): Promise<void>;
  attach(options: AttachOptions): Promise<Attachment>;
  resize(rows: number, cols: number): Promise<void>;
  /** Lets a stdin end that comes out of a FIFO: with the last writer of that. */
  closeStdin(): Promise<void>;
  /** Its log goes on in a new file of the same name: whoever rotates has moved the old one away. */
  reopenLog(): Promise<void>;
  /** NotFound when it has ended. */
  kill(signal: number, options?: { readonly all?: boolean }): Promise<void>;
  /** Resolves when it ends, at once if it has. */
  wait(signal?: AbortSignal): Promise<ExitStatus>;
  /** FailedPrecondition while it runs. Removes everything that the launch made; idempotent. */
  delete(): Promise<ExitStatus>;
}

export interface ExecOptions {
  readonly execId: string;
  readonly process: ProcessSpec;
  readonly stdio: StdioOptions;
  readonly privileged?: boolean;
  /** It is kept, with its exit, until it is deleted; else it is forgotten when it ends, or when the daemon does. */
  readonly keep?: boolean;
  /** Any JSON, as that of a task. */
  readonly note?: unknown;
}

/** What criu may save besides (criu(8)). */
export interface CheckpointOptions {
  /** A directory, made when it is missing. */
  readonly imagePath: string;
  /** For criu's log; the image's when absent. */
  readonly workPath?: string;
  readonly leaveRunning: boolean;
  readonly openTcp: boolean;
  readonly externalUnixSockets: boolean;
  readonly terminal: boolean;
  readonly fileLocks: boolean;
}

export interface Task extends Process {
  readonly oomKills: OomKills;
  exec(options: ExecOptions): Promise<Process>;
  getExec(execId: string): Process | undefined;
  listExecs(): readonly Process[];
  pause(): Promise<void>;
  resume(): Promise<void>;
  pids(): Promise<readonly number[]>;
  stats(): Promise<TaskStats>;
  update(resources: ResourcesSpec): Promise<void>;
  /** Saves the processes, which end by it unless they are left running. FailedPrecondition where there is no criu. */
  checkpoint(options: CheckpointOptions): Promise<void>;
}

/** What the task's cgroup has used. */
export type TaskStats = CgroupStats;

export interface TaskManager {
  create(task: CreateTask): Promise<Task>;
  /** The program that `create` would run. Nothing is made or run. */
  plan(task: CreateTask): readonly Op[];
  /** NotFound when there is none. */
  get(id: string): Task;
  list(): readonly Task[];
  /** After a start of the daemon: finds monitors that live, exits that were left, and inits without a monitor (killed, 137). */
  recover(): Promise<void>;
}
