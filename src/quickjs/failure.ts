import * as system from 'strake:system';

/** A failed system call as Node throws it: `ENOENT: no such file or directory, open '/x'`, with code, errno, syscall and path. */
export function systemError(negativeErrno: number, syscall: string, path?: string, dest?: string): NodeJS.ErrnoException {
  const code = system.errorName(-negativeErrno);
  const place = path === undefined ? '' : ` '${path}'${dest === undefined ? '' : ` -> '${dest}'`}`;
  const error = new Error(`${code}: ${system.errorText(-negativeErrno)}, ${syscall}${place}`);
  return Object.assign(error, { code, errno: negativeErrno, syscall }, path === undefined ? {} : { path }, dest === undefined ? {} : { dest });
}

/** The answer of a call that answers -errno where it fails. */
export function succeeded<T>(answer: T | number, syscall: string, path?: string, dest?: string): T {
  if (typeof answer === 'number' && answer < 0) throw systemError(answer, syscall, path, dest);
  return answer as T;
}
