import { isCode } from '../../base/index.ts';
import { lockDataRoot } from '../daemon/data-root-lock.ts';

/** The root directory for this process alone; undefined: a kubelet has it, or another command. */
export function lockUnlessKubelet(rootDir: string): Disposable | undefined {
  try {
    return lockDataRoot(rootDir);
  } catch (error) {
    if (isCode(error, 'FailedPrecondition')) return undefined;
    throw error;
  }
}
