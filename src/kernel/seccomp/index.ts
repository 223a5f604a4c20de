export { seccompActions } from './actions.ts';
export type { MachineName, SeccompArch } from './architectures.ts';
export { machineArch, seccompArchitectures, syscallTable } from './architectures.ts';
export type { CompileSeccompOptions, SeccompFilter } from './compile.ts';
export { compileSeccomp } from './compile.ts';
export { seccompOperators } from './conditions.ts';
export { seccompFlags } from './flags.ts';
export type { RecordedCalls } from './learn.ts';
export { learningFilter, nameRecordedCalls } from './learn.ts';
