export { discardDirectory, sweepDiscarded } from './discard.ts';
export type { ErrorCode, ErrorFields } from './errors.ts';
export { codeOfErrno, errorCode, errorCodes, errorMessage, isCode, StrakeError } from './errors.ts';
export { gather } from './gather.ts';
export { randomId, shortId } from './ids.ts';
export type { LineLoggerOptions, LogFields, Logger, LogLevel } from './log.ts';
export { createLineLogger, logLevels, silentLogger } from './log.ts';
export { comparePaths, pathByteLength, pathBytes, pathText } from './path-text.ts';
export { iterateUntilAborted, untilAborted } from './until-aborted.ts';
