import { StrakeError } from '../../base/index.ts';

/** runc's words, which its clients match on. */
export function notRunning(id: string): StrakeError {
  return new StrakeError('FailedPrecondition', 'container not running', { fields: { layer: 'runtime', id } });
}
