import { errorMessage, type Logger } from '../../base/index.ts';

/** A rejection that nobody handles is told, and does not end what serves others. */
export function logRejections(log: Logger): void {
  process.on('unhandledRejection', (error) =>
    log.error('unhandled rejection', { error: errorMessage(error), stack: error instanceof Error ? error.stack : undefined }),
  );
}
