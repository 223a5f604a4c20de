export type { ContainerdOptions } from './services.ts';
export { containerdServices } from './services.ts';
