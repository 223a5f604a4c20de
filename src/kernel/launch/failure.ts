import { constants } from 'node:os';
import { codeOfErrno, StrakeError } from '../../base/index.ts';
import { formatOp, type Op } from '../program/index.ts';
import type { Report } from './records.ts';

const errnoNames = new Map(Object.entries(constants.errno).map(([name, value]) => [value, name]));

/** `ENOENT` for 2. */
export function errnoName(errno: number): string {
  return errnoNames.get(Math.abs(errno)) ?? `errno ${errno}`;
}

/** The words of strerror(3) that people look for. */
const errnoTexts: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EEXIST: 'file exists',
  ENOTDIR: 'not a directory',
  EISDIR: 'is a directory',
  EINVAL: 'invalid argument',
  EBUSY: 'device or resource busy',
  ENOSPC: 'no space left on device',
  EROFS: 'read-only file system',
  ELOOP: 'too many levels of symbolic links',
  ENOEXEC: 'exec format error',
  ENODEV: 'no such device',
  ENXIO: 'no such device or address',
  ENOMEM: 'cannot allocate memory',
  EMFILE: 'too many open files',
  EFBIG: 'file too large',
  ENAMETOOLONG: 'file name too long',
  ESRCH: 'no such process',
  EXDEV: 'invalid cross-device link',
  ENOTEMPTY: 'directory not empty',
  ETIMEDOUT: 'timed out',
};

export function errnoText(errno: number): string {
  const name = errnoName(errno);
  return errnoTexts[name] ?? name;
}

/** The error that a failed program is: which operation, on what, why. */
export function programFailure(report: Report, operations: readonly Op[]): StrakeError {
  const op = report.failedIndex === undefined ? undefined : operations[report.failedIndex];
  const errno = errnoName(report.errno);
  return new StrakeError(codeOfErrno(errno), failureText(report, op, operations), {
    fields: {
      layer: 'kernel',
      operation: op?.op ?? 'program',
      errno,
      detail: report.detail,
      ...(op ? { arguments: formatOp(op), index: report.failedIndex } : {}),
    },
  });
}

/** Failures of `exec`, hooks and mounts come in runc's words, whole; the rest as "operation: object: why". */
function failureText(report: Report, op: Op | undefined, operations: readonly Op[]): string {
  if (/^exec[ :]/.test(report.detail) || report.detail.startsWith('error running ')) return report.detail;
  if (/^(error mounting|chdir to cwd|mkdir) /.test(report.detail)) return `${report.detail}: ${errnoText(report.errno)}`;
  return [operationText(report, op, operations), report.detail, errnoText(report.errno)].filter((part) => part !== '').join(': ');
}

/** What the operation was for, where its name does not say it, in words that runc's users know. */
function operationText(report: Report, op: Op | undefined, operations: readonly Op[]): string {
  if (op?.op === 'connect_unix' && operations.some((other) => other.op === 'seccomp' && other.listener === op.out))
    return 'failed to connect with seccomp agent specified in the seccomp profile';
  if (op?.op === 'open' && operations.some((other) => other.op === 'clone' && other.cgroup === op.out)) return "can't open cgroup";
  if (op?.op === 'scheduler' && report.errno === constants.errno.EPERM && operations.some(limitsCpus))
    return "process scheduler can't be used together with AllowedCPUs";
  if (op?.op === 'write_file' && op.side === 'init' && op.path.endsWith('/tasks')) return `error adding pid ${report.initPid} to cgroups`;
  return op?.op ?? 'program';
}

function limitsCpus(op: Op): boolean {
  return op.op === 'write_file' && op.path.endsWith('/cpuset.cpus');
}
