import { create } from '@bufbuild/protobuf';
import { anyPack, type Timestamp, timestampFromDate } from '@bufbuild/protobuf/wkt';
import { runcOptions, taskTypes } from '../api/containerd/index.ts';
import type { ProcessState } from '../core/tasks/index.ts';

/** google.protobuf.Empty */
export const nothing = {} as const;

export function timestamp(at: Date): Timestamp {
  return timestampFromDate(at);
}

const statuses = {
  created: taskTypes.Status.CREATED,
  running: taskTypes.Status.RUNNING,
  paused: taskTypes.Status.PAUSED,
  stopped: taskTypes.Status.STOPPED,
} as const;

export function stateOf(state: ProcessState) {
  const { status, pid } = state;
  const exit = status === 'stopped' ? { exitStatus: state.exit.code, exitedAt: timestamp(state.exit.at) } : {};
  return { pid, status: statuses[status], ...exit };
}

/** containerd-shim-runc-v2 names the exec of a process so. */
export function pidInfo(pid: number, execId: string | undefined) {
  if (execId === undefined) return { pid };
  return { pid, info: anyPack(runcOptions.ProcessDetailsSchema, create(runcOptions.ProcessDetailsSchema, { execId })) };
}
