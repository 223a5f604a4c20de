export type { EncodeOptions } from './encode.ts';
export { encodeOperations, encodeProgram, noSlot, operationLength, programLimits, writeOperation } from './encode.ts';
export { formatOp, formatProgram } from './format.ts';
export type { Op, OpDescription, OpFieldType } from './ops.gen.ts';
export { defaultStateRoot, opsHash, opTable } from './ops.gen.ts';
export type { PidText } from './pid-field.ts';
export { jsonWithPid, nestPidText, pidOffsetBytes } from './pid-field.ts';
