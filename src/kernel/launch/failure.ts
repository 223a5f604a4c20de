import { codeOfErrno, StrakeError } from '../../base/index.ts';
import { formatOp, type Op } from '../program/index.ts';
import { errnoName, errnoText } from './errno.ts';
import type { Report } from './records.ts';
import { type Failure, remedyFor } from './remedies.ts';

/** The error that a failed program is: which operation, on what, why; and in `fields.remedy` what to do about it, where that is known. */
export function programFailure(report: Report, operations: readonly Op[]): StrakeError {
  const op = report.failedIndex === undefined ? undefined : operations[report.failedIndex];
  const errno = errnoName(report.errno);
  const failure: Failure = { op, errno, detail: report.detail, operations };
  const remedy = remedyFor(failure);
  return new StrakeError(codeOfErrno(errno), failureText(failure, report), {
    fields: {
      layer: 'kernel',
      operation: op?.op ?? 'program',
      errno,
      detail: report.detail,
      ...(op ? { arguments: formatOp(op), index: report.failedIndex } : {}),
      ...(remedy === undefined ? {} : { remedy }),
    },
  });
}

/** Failures of `exec`, hooks and mounts come in runc's words, whole; the rest as "operation: object: why". */
function failureText(failure: Failure, report: Report): string {
  const { op, detail } = failure;
  const why = errnoText(report.errno);
  if (/^(exec[ :]|error running |criu failed:)/.test(detail)) return detail;
  if (detail.startsWith('error mounting ')) return `${isRootMount(failure) ? 'invalid rootfs: ' : ''}${detail}: ${why}`;
  if (/^(chdir to cwd|mkdir) /.test(detail)) return `${detail}: ${why}`;
  if (wasKilled(failure)) return limitsMemory(failure) ? 'container init was OOM-killed (memory limit too low?)' : detail;
  const name = op === undefined ? 'program' : purpose(op, failure, report);
  // What strake-init says mostly begins with what it was about.
  return [detail.startsWith(name) ? '' : name, detail, why].filter((part) => part !== '').join(': ');
}

/** What the operation was for, where its name does not say it, in words that runc's users know. */
function purpose(op: Op, { errno, operations }: Failure, { initPid }: Report): string {
  switch (op.op) {
    case 'rlimit':
      return `error setting rlimit type ${op.resource}`;
    case 'connect_unix':
      if (operations.some((other) => other.op === 'seccomp' && other.listener === op.out))
        return 'failed to connect with seccomp agent specified in the seccomp profile';
      return operations.some((other) => other.op === 'terminal' && other.consoleSocket === op.out) ? 'console socket' : op.op;
    case 'open':
      return operations.some((other) => other.op === 'clone' && other.cgroup === op.out) ? "can't open cgroup" : op.op;
    case 'scheduler':
      return errno === 'EPERM' && operations.some(limitsCpus) ? "process scheduler can't be used together with AllowedCPUs" : op.op;
    case 'write_file':
      return op.side === 'init' && op.path.endsWith('/tasks') ? `error adding pid ${initPid} to cgroups` : op.op;
    default:
      return op.op;
  }
}

function isRootMount({ op }: Failure): boolean {
  return op?.op === 'mount_bind' && op.root === undefined && op.source === op.target;
}

function wasKilled({ errno, detail }: Failure): boolean {
  return errno === 'EPIPE' && detail.includes('first process was killed');
}

function limitsMemory({ operations }: Failure): boolean {
  return operations.some((op) => op.op === 'write_file' && /\/memory\.(max|limit_in_bytes)$/.test(op.path));
}

function limitsCpus(op: Op): boolean {
  return op.op === 'write_file' && op.path.endsWith('/cpuset.cpus');
}
