import { errorMessage, StrakeError } from '../base/index.ts';

/** Docker's words for an answer of the engine; elsewhere the message, and what to do. */
export function describeError(error: unknown): string {
  if (!(error instanceof StrakeError)) return `strake: ${errorMessage(error)}`;
  const prefix = error.fields.layer === 'engine' ? 'Error response from daemon: ' : 'strake: ';
  return `${prefix}${error.message}${error.fields.remedy ? `\n${error.fields.remedy}` : ''}`;
}
