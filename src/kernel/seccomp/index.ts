export { seccompActions } from './actions.ts';
export type { SeccompArch } from './architectures.ts';
export { syscallNumbers } from './architectures.ts';
export type { CompileSeccompOptions, SeccompFilter } from './compile.ts';
export { compileSeccomp } from './compile.ts';
export { seccompOperators } from './conditions.ts';
export { seccompFlags } from './flags.ts';
