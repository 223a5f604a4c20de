export type { EncodeOptions } from './encode.ts';
export { encodeOperations, encodeProgram, noSlot, programLimits } from './encode.ts';
export { formatOp, formatProgram } from './format.ts';
export type { Op, OpDescription, OpFieldType } from './ops.gen.ts';
export { opsHash, opTable } from './ops.gen.ts';
