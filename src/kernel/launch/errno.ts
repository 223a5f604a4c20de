import { constants } from 'node:os';

let errnoNames: ReadonlyMap<number, string> | undefined;

function namesByNumber(): ReadonlyMap<number, string> {
  const numbers: Readonly<Record<string, number>> = constants.errno;
  // Two names for one number: Linux and people say the last ones here.
  const said = ['EAGAIN', 'EOPNOTSUPP', 'EDEADLK'].map((name) => [name, numbers[name]] as const);
  return new Map([...Object.entries(numbers), ...said].flatMap(([name, value]) => (value === undefined ? [] : [[value, name] as const])));
}

/** `ENOENT` for 2. */
export function errnoName(errno: number): string {
  errnoNames ??= namesByNumber();
  return errnoNames.get(Math.abs(errno)) ?? `errno ${errno}`;
}

/** The words of strerror(3) that people look for, as Go writes them. */
const errnoTexts: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EAGAIN: 'resource temporarily unavailable',
  EBADF: 'bad file descriptor',
  EBUSY: 'device or resource busy',
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset by peer',
  EDQUOT: 'disk quota exceeded',
  EEXIST: 'file exists',
  EFBIG: 'file too large',
  EINVAL: 'invalid argument',
  EIO: 'input/output error',
  EISDIR: 'is a directory',
  ELOOP: 'too many levels of symbolic links',
  EMFILE: 'too many open files',
  ENAMETOOLONG: 'file name too long',
  ENFILE: 'too many open files in system',
  ENODEV: 'no such device',
  ENOENT: 'no such file or directory',
  ENOEXEC: 'exec format error',
  ENOMEM: 'cannot allocate memory',
  ENOSPC: 'no space left on device',
  ENOSYS: 'function not implemented',
  ENOTDIR: 'not a directory',
  ENOTEMPTY: 'directory not empty',
  ENXIO: 'no such device or address',
  EOPNOTSUPP: 'operation not supported',
  EOVERFLOW: 'value too large for defined data type',
  EPERM: 'operation not permitted',
  EPIPE: 'broken pipe',
  ERANGE: 'numerical result out of range',
  EROFS: 'read-only file system',
  ESRCH: 'no such process',
  ETIMEDOUT: 'timed out',
  ETXTBSY: 'text file busy',
  EUSERS: 'too many users',
  EXDEV: 'invalid cross-device link',
};

export function errnoText(errno: number): string {
  const name = errnoName(errno);
  return errnoTexts[name] ?? name;
}
