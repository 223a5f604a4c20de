import { errorCode, errorMessage, type Logger, StrakeError } from '../../base/index.ts';

/** What ended a face, and what to do about it; of an error that nobody foresaw, and which names no object, the place. */
export function logFailure(log: Logger, what: string, error: unknown): void {
  const code = errorCode(error);
  log.error(`${what}: ${errorMessage(error)}`, {
    code,
    remedy: error instanceof StrakeError ? error.fields.remedy : undefined,
    stack: code === 'Internal' && error instanceof Error ? error.stack : undefined,
  });
}
