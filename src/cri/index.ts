export type { Cri, CriOptions } from './assemble.ts';
export { assembleCri } from './assemble.ts';
export type { RuntimeHandler } from './handlers.ts';
