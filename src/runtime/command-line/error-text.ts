import { errorMessage } from '../../base/index.ts';

/**
 * The text of any thrown value, a system call's failure in the order that Go's programs have it, which people and scripts know: `open /x: no such file or directory`
 * for Node's `ENOENT: no such file or directory, open '/x'`.
 */
export function errorText(error: unknown): string {
  const message = errorMessage(error);
  const { code, syscall, path } = error as NodeJS.ErrnoException;
  if (typeof code !== 'string' || typeof syscall !== 'string') return message;
  const reason = /^E\w+: ([^,]+)/.exec(message)?.[1] ?? code;
  return path === undefined ? `${syscall}: ${reason}` : `${syscall} ${path}: ${reason}`;
}
