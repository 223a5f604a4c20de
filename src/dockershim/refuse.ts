import { type ErrorCode, StrakeError } from '../base/index.ts';

export function refuse(code: ErrorCode, message: string): StrakeError {
  return new StrakeError(code, message, { fields: { layer: 'dockershim' } });
}

/** What the Engine API has no words for. */
export function notWithEngine(what: string): StrakeError {
  return refuse('Unimplemented', `${what}: not with an engine below`);
}
