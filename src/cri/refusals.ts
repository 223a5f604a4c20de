import { type ErrorCode, StrakeError } from '../base/index.ts';

/** An error of this layer. */
export function refused(code: ErrorCode, message: string, fields: Readonly<Record<string, string>> = {}, cause?: unknown): StrakeError {
  return new StrakeError(code, message, { ...(cause === undefined ? {} : { cause }), fields: { layer: 'cri', ...fields } });
}

export function invalid(message: string, fields: Readonly<Record<string, string>> = {}): StrakeError {
  return refused('InvalidArgument', message, fields);
}
