import { discardDirectory, errorMessage } from '../base/index.ts';
import type { CriContext } from './context.ts';

/** A directory that nothing names any more: it goes aside at once, and its files when there is time. */
export function discarded({ log }: Pick<CriContext, 'log'>, directory: string): void {
  discardDirectory(directory, (error) => log.warn('a directory was not deleted', { directory, error: errorMessage(error) }));
}
