export type { EncodeOptions, Op, OpDescription, OpFieldType } from './program/index.ts';
export { encodeOperations, encodeProgram, formatOp, formatProgram, noSlot, opsHash, opTable, programLimits } from './program/index.ts';
