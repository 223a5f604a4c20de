export type { Template } from './evaluate.ts';
export { compileTemplate } from './evaluate.ts';
