import { create } from '@bufbuild/protobuf';
import { anyPack, type Timestamp, TimestampSchema, timestampFromDate } from '@bufbuild/protobuf/wkt';
import { runcOptions, taskTypes } from '../api/containerd/index.ts';
import type { ProcessState } from '../core/tasks/index.ts';

/** google.protobuf.Empty */
export const nothing = {} as const;

export function timestamp(at: Date): Timestamp {
  return timestampFromDate(at);
}

/** Go's zero time, which containerd's shim says of what has not ended. */
export const noTime = create(TimestampSchema, { seconds: -62_135_596_800n });

const statuses = {
  created: taskTypes.Status.CREATED,
  running: taskTypes.Status.RUNNING,
  paused: taskTypes.Status.PAUSED,
  stopped: taskTypes.Status.STOPPED,
} as const;

export function stateOf(state: ProcessState) {
  const { status, pid } = state;
  const exit = status === 'stopped' ? { exitStatus: state.exit.code, exitedAt: timestamp(state.exit.at) } : { exitedAt: noTime };
  return { pid, status: statuses[status], ...exit };
}

/** containerd-shim-runc-v2 names the exec of a process so. */
export function pidInfo(pid: number, execId: string | undefined) {
  if (execId === undefined) return { pid };
  return { pid, info: anyPack(runcOptions.ProcessDetailsSchema, create(runcOptions.ProcessDetailsSchema, { execId })) };
}
